/** Exponential backoff with jitter, and a delay that can be cut short. */

/** Milliseconds before the next attempt after this number of failures: 75 to 100 % of the doubled pause. */
export function backoff(failures: number, firstMs: number, longestMs: number, random = Math.random): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures, 30)) * (0.75 + random() / 4);
}

/** One delay at a time; `wake` ends it early. */
export class WakeableDelay {
  private wakeUp: (() => void) | undefined;

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  wake(): void {
    this.wakeUp?.();
  }
}
