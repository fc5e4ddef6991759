/** Where diagnostics go. Fields are plain data; secrets never enter them. */
export type Log = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

export const silentLog: Log = () => {};
