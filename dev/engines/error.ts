export type EngineErrorCode =
  | "go_missing"
  | "go_too_old"
  | "docker_missing"
  | "docker_not_answering"
  | "image_unavailable"
  | "disk_nearly_full"
  | "download_failed"
  | "build_failed"
  | "build_locked"
  | "pin_unreadable"
  | "invalid_retention"
  | "invalid_sampling"
  | "unknown_target"
  | "unavailable";

/** Says what is wrong with an engine and, in the same message, how to mend it. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
