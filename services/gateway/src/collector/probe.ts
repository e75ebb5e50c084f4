const timeoutMs = 1_000;

/** Any answer will do: the collector's health port is not the gateway's to know. @throws Error when none comes */
export async function probeCollector(url: string): Promise<void> {
  const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(timeoutMs) }).catch(() => {
    throw new Error("unreachable");
  });
  await response.body?.cancel();
}
