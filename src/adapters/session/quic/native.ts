import type { Quiche } from '@matrixai/quic/native/quiche.js';
import { TraversalError } from '../../../core/errors.ts';

/** Cloudflare's quiche as @matrixai/quic ships it. Errors: `ERR_SESSION_PLATFORM`. */
export async function loadQuiche(load: () => Promise<{ default: Quiche }> = importQuiche): Promise<Quiche> {
  try {
    return (await load()).default;
  } catch (cause) {
    throw new TraversalError(
      'ERR_SESSION_PLATFORM',
      `the QUIC library has no binary for ${process.platform}-${process.arch}: prebuilt are linux-x64 (glibc), darwin-x64, ` +
        'darwin-arm64 and win32-x64. On one of these, reinstall without --omit=optional; elsewhere, give the environment another `sessions`.',
      { cause },
    );
  }
}

const importQuiche = () => import('@matrixai/quic/native/quiche.js');
