// Bundles a page of this folder for a browser.   node build_page.mjs smd/page.ts OUTPUT.js
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const [page, outfile] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
await build({ entryPoints: [join(here, page)], outfile, bundle: true, logLevel: "error" });
