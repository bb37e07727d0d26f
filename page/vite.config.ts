import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

/** The script and the style as text in the page, each allowed by its hash and nothing else allowed. */
function oneFile(): Plugin {
  const parts = new Set<string>();
  return {
    name: "one-file",
    enforce: "post",
    moduleParsed({ id }) {
      const found = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(id);
      if (found?.[1]) parts.add(found[1]);
    },
    generateBundle(_, bundle) {
      const page = bundle["index.html"];
      if (page?.type !== "asset") throw new Error("there is no index.html in the bundle");
      let html = String(page.source);
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === "chunk") {
          const code = file.code.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "\\x3C!--");
          html = put(
            html,
            new RegExp(`<script[^>]*src="[^"]*${name}"[^>]*></script>`),
            `<script type="module">${code}</script>`,
          );
          html = put(html, "{{script}}", `'sha256-${hash(code)}'`);
        } else if (name.endsWith(".css")) {
          const style = String(file.source).trim();
          html = put(html, new RegExp(`<link[^>]*href="[^"]*${name}"[^>]*>`), `<style>${style}</style>`);
          html = put(html, "{{style}}", `'sha256-${hash(style)}'`);
        } else continue;
        delete bundle[name];
      }
      page.source = put(html, "</html>", `</html>\n<!--\n${licences([...parts].sort())}\n-->`);
      page.fileName = "page.html";
    },
  };
}

function put(html: string, place: string | RegExp, text: string): string {
  const changed = html.replace(place, () => text);
  if (changed === html) throw new Error(`index.html has no ${place}`);
  return changed;
}

function hash(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("base64");
}

/** What the licences of the parts ask for: their notices go where the parts go. */
function licences(folders: string[]): string {
  const notices = new Map<string, string[]>();
  for (const folder of folders) {
    const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, string>;
    const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
    if (!file) throw new Error(`${name} has no licence file`);
    const [first, ...rest] = readFileSync(join(folder, file), "utf8")
      .trim()
      .split(/(?<=Copyright[^\n]*\n)/);
    const [head, body] = rest.length ? [String(first), rest.join("")] : ["", String(first)];
    notices.set(body.trim(), [
      ...(notices.get(body.trim()) ?? []),
      `${name} ${version}: ${head.trim().replace(/\s+/g, " ")}`,
    ]);
  }
  return [...notices]
    .map(([body, names]) => `${names.join("\n")}\n\n${body}`)
    .join("\n\n")
    .replaceAll("--", "- -");
}

const out = process.env["LANDKEEPER_PAGE_OUT"] ?? resolve(import.meta.dirname, "../src/landkeeper/report/assets");

export default defineConfig({
  base: "./",
  plugins: [oneFile()],
  build: {
    outDir: out,
    emptyOutDir: !existsSync(out),
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    modulePreload: false,
    reportCompressedSize: false,
    target: "es2022",
  },
});
