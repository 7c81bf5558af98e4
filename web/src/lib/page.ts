/** What an island needs to know of the page around it. */

/** Address of the directory that `portico.js` came from, with a slash at the end. */
export function base(): string {
  const script = document.querySelector<HTMLScriptElement>('script[src*="portico.js"]');
  return script ? new URL('.', script.src).href : '/assets/';
}

/** Asks the page itself again, as the server renders it now. `undefined` when it cannot. */
export async function again(url = location.href): Promise<Document | undefined> {
  try {
    const answer = await fetch(url, { headers: { accept: 'text/html' }, credentials: 'same-origin' });
    if (!answer.ok) return undefined;
    return new DOMParser().parseFromString(await answer.text(), 'text/html');
  } catch {
    return undefined;
  }
}

/** Storage may be switched off or full: then nothing is remembered, and that is all. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`portico.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`portico.${key}`, value);
  } catch {
    // Not remembered.
  }
}

/** Whether keys typed now belong to a field. */
export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain http on another name than localhost has no clipboard API: the old way still works there.
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'visually-hidden';
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

export function save(name: string, type: string, parts: BlobPart[]): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
