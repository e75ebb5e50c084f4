/** What comes within the time, or nothing. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms);
  return await Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
