import { defineConfig } from 'vite';

// The entries keep their names (templates link them); what they load lazily carries a hash and may be
// cached for ever. Chunks are found relative to the script, so the server may mount dist/ anywhere.
export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { portico: 'src/portico.ts' },
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith('.css')) ? 'portico.css' : 'assets/[name]-[hash][extname]',
        codeSplitting: { groups: [{ name: 'shared', test: /src\/lib|node_modules\/preact/ }] },
      },
    },
  },
});
