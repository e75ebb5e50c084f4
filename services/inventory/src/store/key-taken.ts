/**
 * Thrown in a transaction to undo all of it: the key was used for another request. A change takes its key while it holds
 * the stock, so that the numbers of a piece's movements follow time, and two that bring the same key do not deadlock.
 */
export class KeyTaken extends Error {
  override readonly name = "KeyTaken";
}
