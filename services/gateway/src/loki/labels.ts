import { ServiceError } from "@vitrine/kit/errors";

const nameForm = /[A-Za-z_][A-Za-z0-9_]*/y;
const valueForm = /"((?:[^"\\\n]|\\.)*)"|`([^`]*)`/y;
const betweenForm = /[ \t\n]*/y;
const escapes = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\"'])|(.?))/gs;

const named: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/**
 * Reads the labels of a stream as Loki's clients write them: `{app="till", shop="paris"}`, values quoted as in Go.
 * @throws ServiceError `invalid_request`
 */
export function parseLabels(written: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = Object.create(null) as Record<string, string>;
  let at = 0;
  const take = (form: RegExp): RegExpExecArray => {
    form.lastIndex = at;
    const found = form.exec(written);
    if (found === null) throw invalid();
    at += found[0].length;
    return found;
  };
  const takeMark = (mark: string): boolean => {
    take(betweenForm);
    if (written[at] !== mark) return false;
    at += 1;
    take(betweenForm);
    return true;
  };
  if (!takeMark("{")) throw invalid();
  while (!takeMark("}")) {
    const [name] = take(nameForm);
    if (!takeMark("=")) throw invalid();
    const [, quoted, raw] = take(valueForm);
    labels[name] = raw ?? unquote(quoted ?? "");
    if (!takeMark(",") && written[at] !== "}") throw invalid();
  }
  if (at !== written.length) throw invalid();
  return labels;
}

function unquote(quoted: string): string {
  return quoted.replaceAll(escapes, (_, hex, short, long, octal, letter: string | undefined) => {
    const digits = (hex ?? short ?? long) as string | undefined;
    const code =
      digits === undefined ? Number.parseInt((octal as string | undefined) ?? "", 8) : Number.parseInt(digits, 16);
    if (letter !== undefined) return named[letter] ?? letter;
    if (!(code <= 0x10_ff_ff)) throw invalid();
    return String.fromCodePoint(code);
  });
}

function invalid(): ServiceError {
  return new ServiceError("invalid_request", 'the labels of a stream must be written {name="value", …}', {
    reason: "bad_encoding",
  });
}
