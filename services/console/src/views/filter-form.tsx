import type { Child } from "hono/jsx";
import { maxFilterLength, spans } from "../logs/filter.ts";

interface FilterFormProps {
  readonly action: string;
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly children?: Child;
}

/** What a list is narrowed by. A plain form: its address can be kept and sent to others. */
export function FilterForm({ action, values, children }: FilterFormProps) {
  const fixed = values["last"] === undefined && (values["from"] !== undefined || values["to"] !== undefined);
  return (
    <form class="filter" action={action} role="search">
      {children}
      <label>
        Time
        <select name="last">
          {Object.keys(spans).map((name) => (
            <option value={name} selected={!fixed && name === (values["last"] ?? "1h")}>
              last {name}
            </option>
          ))}
          {fixed ? (
            <option value="" selected>
              as chosen
            </option>
          ) : null}
        </select>
      </label>
      {fixed ? (
        <>
          <Field name="from" label="From" values={values} />
          <Field name="to" label="To" values={values} />
        </>
      ) : null}
      <button>Search</button>
      <a href={action}>Clear</a>
    </form>
  );
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly placeholder?: string;
  readonly pattern?: string;
  readonly title?: string;
  /** Characters; as many as a list can be narrowed by, unless given. */
  readonly max?: number;
}

export function Field({ name, label, values, placeholder, pattern, title, max = maxFilterLength }: FieldProps) {
  return (
    <label>
      {label}
      <input
        name={name}
        value={values[name] ?? ""}
        maxlength={max}
        placeholder={placeholder}
        pattern={pattern}
        title={title}
      />
    </label>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly options: readonly (readonly [value: string, label: string])[];
}

export function Choice({ name, label, values, options }: ChoiceProps) {
  return (
    <label>
      {label}
      <select name={name}>
        {options.map(([value, text]) => (
          <option value={value} selected={value === (values[name] ?? "")}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The same page with other parameters; those set to `undefined` go. */
export function withParameters(
  path: string,
  values: Readonly<Record<string, string | undefined>>,
  changes: Readonly<Record<string, string | undefined>>,
): string {
  const pairs = Object.entries({ ...values, ...changes }).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, value]],
  );
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs).toString()}`;
}
