import type { Problem } from "./types.ts";

/** A request that failed. `status` is 0 when no answer arrived. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    message: string,
    readonly problems: readonly Problem[] = [],
    /** The service's code for the failure, such as `csrf`. */
    readonly code?: string,
  ) {
    super(message);
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
