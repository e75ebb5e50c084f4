/** Letters, digits, `_` and `$` after the first: the rest of a name may hold digits and dollars that begin no literal. */
const name = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const number = /(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?/y;
const parameter = /\$\d+/y;
const dollarQuote = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
/** What begins none of the above, no quote and no comment. */
const plain = /[^\w$'"./\u0080-\uffff-]+/y;

/**
 * The text of an SQL statement as telemetry may keep it (OpenTelemetry, "Sanitization of db.query.text"): `?` for every
 * string, number and dollar-quoted literal of PostgreSQL, nothing of comments, and one space for white space. Parameters
 * (`$1`) and names stay. What is not closed is taken for a literal to its end. Reads the text once, whatever it is.
 */
export function sanitizeStatement(text: string): string {
  const parts: string[] = [];
  let at = 0;
  while (at < text.length) {
    const end = endOfPart(text, at);
    parts.push(end.shown ?? text.slice(at, end.at));
    at = end.at;
  }
  return parts.join("").replaceAll(/\s+/g, " ").trim();
}

interface End {
  readonly at: number;
  /** Instead of the text itself. */
  readonly shown?: string;
}

const literal = "?";

function endOfPart(text: string, start: number): End {
  const next = text[start + 1];
  switch (text.charAt(start)) {
    case "'":
      return { at: endOfQuoted(text, start + 1, "'", false) ?? text.length, shown: literal };
    case '"': {
      const end = endOfQuoted(text, start + 1, '"', false);
      return end === undefined ? { at: text.length, shown: literal } : { at: end };
    }
    case "-":
      return next === "-" ? { at: endOfLine(text, start), shown: " " } : { at: start + 1 };
    case "/":
      return next === "*" ? { at: endOfComment(text, start), shown: " " } : { at: start + 1 };
    case "$":
      return endOfDollar(text, start);
    default:
      return endOfWord(text, start);
  }
}

function endOfWord(text: string, start: number): End {
  const named = matchEnd(name, text, start);
  if (named !== undefined) {
    const prefix = text[named] === "'" ? text.slice(start, named) : "";
    if (!/^[benx]$/i.test(prefix)) return { at: named };
    // Of `B'…'`, `E'…'`, `N'…'` and `X'…'` a backslash escapes in the second.
    return { at: endOfQuoted(text, named + 1, "'", /e/i.test(prefix)) ?? text.length, shown: literal };
  }
  const counted = matchEnd(number, text, start);
  if (counted !== undefined) return { at: counted, shown: literal };
  return { at: matchEnd(plain, text, start) ?? start + 1 };
}

function endOfDollar(text: string, start: number): End {
  const parameterEnd = matchEnd(parameter, text, start);
  if (parameterEnd !== undefined) return { at: parameterEnd };
  const opened = matchEnd(dollarQuote, text, start);
  if (opened === undefined) return { at: start + 1 };
  const quote = text.slice(start, opened);
  const closing = text.indexOf(quote, opened);
  return { at: closing < 0 ? text.length : closing + quote.length, shown: literal };
}

/** After the closing quote; a doubled one stands for itself. `undefined` when there is none. */
function endOfQuoted(text: string, start: number, quote: string, escapes: boolean): number | undefined {
  for (let at = start; at < text.length; at += 1) {
    if (escapes && text[at] === "\\") at += 1;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  return undefined;
}

function endOfLine(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== "\n" && text[at] !== "\r") at += 1;
  return at;
}

/** Comments of PostgreSQL lie in each other. */
function endOfComment(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const pair = text.slice(at, at + 2);
    if (pair === "/*") depth += 1;
    else if (pair === "*/") depth -= 1;
    else continue;
    at += 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function matchEnd(pattern: RegExp, text: string, start: number): number | undefined {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
