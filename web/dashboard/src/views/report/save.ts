/** Gives a file to the browser's downloads, or text to its clipboard. */
export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads it after the click has ended.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** `navigator.clipboard` is missing where the page came over plain HTTP. */
export async function copyText(text: string, refused: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("readonly", "");
  area.className = "copied";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error(refused);
}
