/** The shared worker that reads the feed for all tabs of this browser with the same user; its address names the service. */
import { cookieSession } from "@taskrouter-sync/shared/api/auth.ts";
import { createClient } from "@taskrouter-sync/shared/api/client.ts";
import type { FeedPort } from "@taskrouter-sync/shared/live/feed/sharedFeed.ts";
import { FeedHub, type HubMessage, type TabMessage } from "@taskrouter-sync/shared/live/feed/sharedFeed.ts";
import { feedSource } from "@taskrouter-sync/shared/live/feed/source.ts";

interface SharedScope {
  name: string;
  onconnect: ((event: { ports: readonly FeedPort<HubMessage, TabMessage>[] }) => void) | null;
}

const scope = globalThis as unknown as SharedScope;
const { baseUrl } = JSON.parse(scope.name) as { baseUrl: string };
const client = createClient({ baseUrl, auth: cookieSession(), onUnauthorized: () => hub.signedOut() });
const hub = new FeedHub(feedSource(client));
scope.onconnect = ({ ports }) => {
  for (const port of ports) hub.connect(port);
};
