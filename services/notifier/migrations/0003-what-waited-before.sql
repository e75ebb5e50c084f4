-- Messages that waited when 0002 came knew of none before them, and could have got ahead of one about the same alert.
update deliveries d set after = array(
  select e.seq from deliveries e where e.target_id = d.target_id and e.state = 'waiting' and e.seq < d.seq
    and ((e.group_key = d.group_key and e.tier = d.tier) or e.fingerprints && d.fingerprints))
where d.state = 'waiting' and d.after = '{}';
