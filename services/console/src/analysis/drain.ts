interface Cluster {
  words: string[];
}

/**
 * Finds what lines have in common and what varies in them, after Drain (He et al., "Drain: An Online Log Parsing
 * Approach with Fixed Depth Tree", ICWS 2017): lines of the same number of words and the same first words are compared,
 * and words that differ become `<*>`.
 */
export interface PatternFinder {
  /** Returns a key of the pattern the line belongs to, the same for all its lines. */
  add(message: string): object;
  templateOf(key: object): string;
}

/** Share of words that must be the same. */
const similarity = 0.5;
/** Words by which lines are sorted before they are compared; further ones are only compared. */
const depth = 2;
/** In one leaf of the tree: what is nowhere alike would be compared with everything. */
const maxClustersPerLeaf = 100;
const maxWords = 60;
const maxWordLength = 200;
const wildcard = "<*>";

export function createPatternFinder(): PatternFinder {
  const leaves = new Map<string, Cluster[]>();
  return {
    add: (message) => {
      const words = toWords(message);
      const leaf = `${words.length} ${words.slice(0, depth).map(asBranch).join(" ")}`;
      const clusters = leaves.get(leaf) ?? [];
      if (clusters.length === 0) leaves.set(leaf, clusters);
      const found = mostAlike(clusters, words);
      if (found !== undefined) {
        found.words = found.words.map((word, at) => (word === words[at] ? word : wildcard));
        return found;
      }
      const made = { words };
      if (clusters.length < maxClustersPerLeaf) clusters.push(made);
      return made;
    },
    templateOf: (key) => (key as Cluster).words.join(" "),
  };
}

function mostAlike(clusters: readonly Cluster[], words: readonly string[]): Cluster | undefined {
  let best: Cluster | undefined;
  let bestShare = similarity;
  for (const cluster of clusters) {
    let same = 0;
    for (let at = 0; at < words.length; at += 1) if (cluster.words[at] === words[at]) same += 1;
    const share = same / words.length;
    if (share < bestShare || (best !== undefined && share === bestShare)) continue;
    best = cluster;
    bestShare = share;
  }
  return best;
}

/** A word with a digit is most likely a value, and values must not sort lines apart. */
function asBranch(word: string): string {
  return word.includes(wildcard) || /\d/.test(word) ? wildcard : word;
}

const values = [
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/g,
  /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?/g,
  /\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b/gi,
  /(?<![\w.])[+-]?\d+(?:[.,]\d+)*(?=(?:ms|s|µs|us|%|[KMGT]i?B)?(?![\w.]))/g,
];

/** Words of a line, with what is surely a value (ids, times, addresses, numbers) taken out beforehand. */
function toWords(message: string): string[] {
  let masked = message.slice(0, maxWords * maxWordLength);
  for (const value of values) masked = masked.replace(value, wildcard);
  const words = masked.trim().split(/\s+/);
  const kept = words.slice(0, maxWords).map((word) => word.slice(0, maxWordLength));
  return words.length > maxWords ? [...kept, "…"] : kept;
}
