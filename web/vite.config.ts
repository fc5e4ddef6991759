import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The page of the inspector, as the hub serves it: files of its own alone. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('../dist/inspector/page', import.meta.url)),
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: 0,
    // The layout engine is one file of its own, which loads when a chart is first shown.
    chunkSizeWarningLimit: 2_000,
  },
});
