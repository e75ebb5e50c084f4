import { expect, test } from "bun:test";
import { startTestTelemetry } from "../testing/telemetry.ts";
import { requestMetrics } from "./observe.ts";

const methods = ["GET", "POST"];
const routes = ["/a", "/b", undefined];
const statuses = [200, 404, 500];

test("requests are told apart by method, route and status, however they take turns", async () => {
  const telemetry = startTestTelemetry();
  try {
    const measured = requestMetrics();
    const all = methods.flatMap((method) =>
      routes.flatMap((route) => statuses.map((status) => ({ method, route, status, seconds: 1 }))),
    );
    for (const request of [...all, ...all.toReversed()]) {
      measured.began();
      measured.ended(request);
    }
    const points = await telemetry.points("http.server.request.duration");
    expect(points).toHaveLength(all.length);
    for (const { method, route, status } of all) {
      const attributes = {
        "http.request.method": method,
        ...(route === undefined ? {} : { "http.route": route }),
        "http.response.status_code": status,
        ...(status === 500 ? { "error.type": "500" } : {}),
      };
      expect(points).toContainEqual({ attributes, value: 2 });
    }
    expect(await telemetry.points("http.server.active_requests")).toEqual([{ attributes: {}, value: 0 }]);
  } finally {
    await telemetry.stop();
  }
});
