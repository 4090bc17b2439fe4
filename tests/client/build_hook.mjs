// Takes the hook out of docs/react.md as it stands, checks it with Vite's strict settings, and bundles a page
// around it.   node build_hook.mjs OUTPUT.js
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const readme = readFileSync(join(here, "..", "..", "docs", "react.md"), "utf8");
const [, hook] = readme.match(/as `useOptionChain\.ts`:\n\n```ts\n([\s\S]*?)```/);
const folder = mkdtempSync(join(here, ".hook-")); // beside node_modules, where its imports are found
try {
  cpSync(join(here, "hook"), folder, { recursive: true });
  writeFileSync(join(folder, "useOptionChain.ts"), hook);
  const tsc = join(here, "node_modules", ".bin", "tsc");
  const checked = spawnSync(tsc, ["--project", folder], { encoding: "utf8" });
  if (checked.status !== 0) throw new Error(`README's hook is no strict TypeScript:\n${checked.stdout}`);
  await build({
    entryPoints: [join(folder, "page.tsx")],
    outfile: process.argv[2],
    bundle: true,
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
} finally {
  rmSync(folder, { recursive: true });
}
