import { Fields, type Range } from './fields.ts';

/** What a link does to packets, in both directions alike. All optional: a link without a word is a perfect one. */
export interface LinkSpec {
  /** One way, in ms, to the microsecond; 0..60,000. */
  readonly latency?: number;
  /** Up to this much more, in ms, uniformly; packets keep their order; 0..60,000. */
  readonly jitter?: number;
  /** Share of the packets that is lost, each by its own chance; 0..1. */
  readonly loss?: number;
  /** Losses that come together; on top of `loss`. */
  readonly burstLoss?: BurstLoss;
  /** Packets that are held back, so that later ones overtake them. */
  readonly reorder?: Reorder;
  /** Share of the packets that comes twice; 0..1. */
  readonly duplicate?: number;
  /** Bits a second, 1,000..10^12; default: any number. */
  readonly rate?: number;
  /** Bytes that wait where there is a rate; more are dropped (tail drop). Default 65,536; 1,500..2^30. */
  readonly queue?: number;
  /** Largest IP packet in bytes; more are dropped and reported by ICMP. Default 1500; 576..65,535. */
  readonly mtu?: number;
}

/**
 * A link that is in one of two states and changes between them by chance at each packet (E. N. Gilbert 1960,
 * E. O. Elliott 1963). Probabilities in 0..1.
 */
export interface BurstLoss {
  /** Of going from good to bad. */
  readonly begin: number;
  /** Of going from bad to good; bursts are 1 / `end` packets long on average. */
  readonly end: number;
  /** Share lost while bad; default 1. */
  readonly loss?: number;
}

export interface Reorder {
  /** Share of the packets; 0..1. */
  readonly share: number;
  /** How long, in ms; 0..60,000. */
  readonly delay: number;
}

/** Reads plain data as a {@link LinkSpec}. Throws `ERR_USAGE` with the path of what is wrong. */
export function readLinkSpec(value: unknown, path: string): LinkSpec {
  const fields = new Fields(value, path, LINK_FIELDS);
  return {
    latency: fields.number('latency', DELAY),
    jitter: fields.number('jitter', DELAY),
    loss: fields.number('loss', SHARE),
    burstLoss: fields.nested('burstLoss', readBurstLoss),
    reorder: fields.nested('reorder', readReorder),
    duplicate: fields.number('duplicate', SHARE),
    rate: fields.integer('rate', { min: 1_000, max: 1e12 }),
    queue: fields.integer('queue', { min: 1_500, max: 2 ** 30 }),
    mtu: fields.integer('mtu', { min: 576, max: 65_535 }),
  };
}

function readBurstLoss(value: unknown, path: string): BurstLoss {
  const fields = new Fields(value, path, ['begin', 'end', 'loss']);
  return {
    begin: fields.required('begin', fields.number('begin', SHARE)),
    end: fields.required('end', fields.number('end', SHARE)),
    loss: fields.number('loss', SHARE),
  };
}

function readReorder(value: unknown, path: string): Reorder {
  const fields = new Fields(value, path, ['share', 'delay']);
  return {
    share: fields.required('share', fields.number('share', SHARE)),
    delay: fields.required('delay', fields.number('delay', DELAY)),
  };
}

const DELAY: Range = { min: 0, max: 60_000 };
const SHARE: Range = { min: 0, max: 1 };
const LINK_FIELDS: readonly (keyof LinkSpec)[] = [
  'latency',
  'jitter',
  'loss',
  'burstLoss',
  'reorder',
  'duplicate',
  'rate',
  'queue',
  'mtu',
];
