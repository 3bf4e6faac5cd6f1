import { defineConfig } from "vite";

// The server the console talks to while it is being developed.
const server = process.env.PATCHBAY_SERVER ?? "http://127.0.0.1:8480";

export default defineConfig({
  build: {
    outDir: "dist/app",
    emptyOutDir: true,
    target: "es2022",
    // Fonts stay files of their own: they are cached apart and loaded by range.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      // Libraries mark files for React's server; here all runs in the browser.
      onLog: (level, log, handle) => log.code !== "MODULE_LEVEL_DIRECTIVE" && handle(level, log),
    },
  },
  server: { proxy: { "/api": { target: server, changeOrigin: true } } },
});
