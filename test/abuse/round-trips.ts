/** Round trips of a bystander, in ms. */
export interface RoundTrips {
  readonly sent: number;
  readonly answered: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Sends a ping every `interval` ms until `ended` fulfils, and gives the answers a second to come. `send` is told the ping's number. */
export async function measureRoundTrips(options: {
  readonly ended: Promise<unknown>;
  readonly interval: number;
  readonly send: (ping: number) => void;
  /** Registers who is told of each answer's number; gives the function that takes it out again. */
  readonly onAnswer: (listener: (ping: number) => void) => () => void;
}): Promise<RoundTrips> {
  const sentAt: number[] = [];
  const times: number[] = [];
  const stop = options.onAnswer((ping) => {
    const since = sentAt[ping];
    if (since !== undefined) times.push(performance.now() - since);
  });
  const timer = setInterval(() => {
    sentAt.push(performance.now());
    options.send(sentAt.length - 1);
  }, options.interval);
  await options.ended;
  clearInterval(timer);
  const deadline = performance.now() + 1_000;
  while (times.length < sentAt.length && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, options.interval));
  }
  stop();
  const sorted = times.sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { sent: sentAt.length, answered: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
