import { expect, test } from "bun:test";
import { wireFields } from "../sink/wire.ts";
import { logsPayload } from "./payload.ts";

test.each([64, 16_384, 1_048_576])("%i bytes are asked for and made, in records that can be read", (size) => {
  const { bytes, records } = logsPayload(size);
  expect(bytes.byteLength).toBe(size);
  let found = 0;
  for (const resource of wireFields(bytes)) {
    for (const scope of wireFields(resource.bytes)) {
      if (scope.number !== 2) continue;
      for (const record of wireFields(scope.bytes)) found += record.number === 2 ? 1 : 0;
    }
  }
  expect(found).toBe(records);
});
