import react from "@vitejs/plugin-react";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Each file once more, compressed as far as it goes: the server only picks one. */
function compressed(): Plugin {
  return {
    name: "compressed",
    closeBundle() {
      for (const folder of ["dist", "dist/assets"]) {
        for (const name of readdirSync(resolve(import.meta.dirname, folder))) {
          if (!/\.(js|css|html|svg)$/.test(name)) continue;
          const path = resolve(import.meta.dirname, folder, name);
          const text = readFileSync(path);
          writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
          writeFileSync(`${path}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
        }
      }
    },
  };
}

const client = (name: string) => resolve(import.meta.dirname, `../clients/typescript/src/${name}.ts`);

export default defineConfig({
  base: "./",
  plugins: [react(), compressed()],
  resolve: {
    alias: [
      { find: /^indian-options-client$/, replacement: client("index") },
      { find: /^indian-options-client\/(rest|react)$/, replacement: client("$1") },
    ],
    dedupe: ["react", "react-dom"],
  },
  build: { target: "es2022", modulePreload: { polyfill: false }, reportCompressedSize: true, assetsInlineLimit: 0 },
  server: { proxy: { "/api": "http://localhost:5000", "/health": "http://localhost:5000", "/socket.io": { target: "http://localhost:5000", ws: true } } },
});
