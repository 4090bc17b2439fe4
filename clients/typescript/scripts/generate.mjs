// Types of everything on the wire, out of the documents that the server serves:
//   node scripts/generate.mjs openapi.json asyncapi.json > src/generated/wire.ts
import { readFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const [openapi, asyncapi] = process.argv.slice(2, 4).map((path) => JSON.parse(readFileSync(path, "utf8")));

// one set of shapes: those of the streams that REST has not
const shapes = { ...asyncapi.components.schemas, ...openapi.components.schemas };
const routes = Object.fromEntries(
  Object.entries(openapi.paths)
    .filter(([, item]) => !("x-same-as" in item))
    .map(([path, item]) => [path, Object.fromEntries(Object.entries(item).filter(([method]) => !["head", "options"].includes(method)))]),
);
const document = { ...openapi, paths: routes, components: { ...openapi.components, schemas: shapes } };
const types = astToString(await openapiTS(document, { alphabetize: false, exportType: false, defaultNonNullable: false }));

const nameOf = (reference) => reference.split("/").at(-1);
function typeOf(schema) {
  if (schema.$ref) return `components["schemas"]["${nameOf(schema.$ref)}"]`;
  const either = schema.oneOf ?? schema.anyOf;
  return either ? either.map(typeOf).join(" | ") : "unknown";
}
const payloadOf = (message) => typeOf(asyncapi.components.messages[message].payload);
const operations = Object.entries(asyncapi.operations);
const received = operations.filter(([, operation]) => operation.action === "send");
const sent = operations.filter(([, operation]) => operation.action === "receive");

process.stdout.write(`// Made by scripts/generate.mjs of /api/openapi.json and /api/asyncapi.json: do not edit.
/* eslint-disable */
${types}
/** What the server sends, by event. */
export interface ServerEvents {
${received.map(([, operation]) => `  ${operation.title}: ${payloadOf(operation.title)};`).join("\n")}
}

/** What a client sends, by event: payload and acknowledgement. */
export interface ClientEvents {
${sent
  .map(([, operation]) => `  ${operation.title}: { payload: ${payloadOf(operation.title)}; answer: ${payloadOf(`${operation.title}_answer`)} };`)
  .join("\n")}
}
`);
