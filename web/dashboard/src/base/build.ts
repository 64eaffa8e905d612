/** Which build of the page runs here, and which one the service has. An upgrade replaces the hashed files of the old. */

/** The name of the page's first script: it has the hash of the build. */
const entryOf = (html: string) => /assets\/index-[\w-]+\.js/.exec(html)?.[0];

export interface BuildDeps {
  /** The entry script of the running page. */
  running(): string | undefined;
  /** The page as the service has it now. */
  fetchPage(): Promise<{ url: string; html: string }>;
  reload(): void;
  goToLogin(): void;
  /** Storage that lasts over a reload of this tab. */
  read(key: string): string | null;
  write(key: string, value: string): void;
}

export const browserBuild: BuildDeps = {
  running: () =>
    entryOf([...document.querySelectorAll("script")].map(({ src }) => src).join("\n")) ?? undefined,
  async fetchPage() {
    const response = await fetch("./", { cache: "no-store", credentials: "same-origin" });
    if (response.status === 401) return { url: new URL("login", location.href).href, html: "" };
    if (!response.ok) throw new Error(`status ${response.status}`);
    return { url: response.url, html: await response.text() };
  },
  reload: () => location.reload(),
  goToLogin: () => location.assign("login"),
  read: (key) => sessionStorage.getItem(key),
  write: (key, value) => sessionStorage.setItem(key, value),
};

const RELOADED = "taskrouter-sync.reloaded-for";

/**
 * Reloads the page where the service has another build, once for each build, so that a page that fails for another
 * reason does not reload for ever. Answers whether the page is about to be replaced.
 */
export async function reloadIfReplaced(deps: BuildDeps = browserBuild): Promise<boolean> {
  const { url, html } = await deps.fetchPage();
  if (new URL(url).pathname.endsWith("/login")) {
    deps.goToLogin();
    return true;
  }
  const build = entryOf(html);
  if (!build || build === deps.running() || deps.read(RELOADED) === build) return false;
  deps.write(RELOADED, build);
  deps.reload();
  return true;
}
