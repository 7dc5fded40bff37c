/** The page as one script and one style, by their hashes, and its worker at a fixed name. */
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/',
  publicDir: 'static',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: ['safari18', 'chrome128', 'firefox128'],
    assetsDir: 'assets',
    // The policy of the page allows neither inline data nor inline script.
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: { main: 'index.html', sw: 'sw.ts' },
      output: {
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
});
