import { defineConfig } from 'vite'

export default defineConfig({
  // Wherever the server is mounted: all addresses are relative to the page.
  base: './',
  // While it is being worked on the API is that of an agent on this machine.
  server: { proxy: { '/api': 'http://127.0.0.1:7710' } },
  build: {
    // Browsers that know light-dark() in CSS, which the colours are made with.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // The server sends no script and no style but from files of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: 'third-party-licenses.md' },
  },
})
