/** The engines name their memory and processor time in three ways; services, which push theirs, have a service name. */
export const engineMemory =
  'max by (job) (process_resident_memory_bytes{service_name=""} or otelcol_process_memory_rss or otelcol_process_memory_rss_bytes)';

export const engineProcessors =
  'sum by (job) (rate(process_cpu_seconds_total{service_name=""}[$__rate_interval]) or rate(otelcol_process_cpu_seconds[$__rate_interval]) or rate(otelcol_process_cpu_seconds_total[$__rate_interval]))';
