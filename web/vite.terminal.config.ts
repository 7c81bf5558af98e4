import { defineConfig } from 'vite';

// The terminal page stands alone: the terminal server inside a workload offers these three files and no more.
export default defineConfig({
  base: './',
  publicDir: false,
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    modulePreload: { polyfill: false },
    emptyOutDir: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      input: { terminal: 'terminal.html' },
      output: {
        entryFileNames: 'terminal.js',
        assetFileNames: 'terminal[extname]',
        codeSplitting: false,
      },
    },
  },
});
