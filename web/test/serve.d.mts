/** A server on a free port; `drop` cuts every open socket. */
export function serve(): Promise<{ address: string; drop(): void; close(): Promise<void> }>;
