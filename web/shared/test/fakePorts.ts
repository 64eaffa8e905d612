import type { FeedPort } from "../live/feed/sharedFeed.ts";

/** Two ends of a channel; each takes what the other posts, at once and as a copy. */
export function ports<A, B>(): [FeedPort<A, B>, FeedPort<B, A>] {
  const one: FeedPort<A, B> = {
    onmessage: null,
    postMessage: (data) => void other.onmessage?.({ data: structuredClone(data) }),
  };
  const other: FeedPort<B, A> = {
    onmessage: null,
    postMessage: (data) => void one.onmessage?.({ data: structuredClone(data) }),
  };
  return [one, other];
}
