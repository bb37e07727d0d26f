/** Tables as CSV files, in the format of the command's CSV. */

// Spreadsheets take wide letters for the same signs.
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
/** What a spreadsheet of some country or setting may take for the end of a cell, a row or a text. */
const QUOTED = /[",;|\t\r\n]/;
/** Unicode's categories Cc, Cf, Cs, Zl and Zp, without the two joiners that scripts and emoji need. */
const INVISIBLE = /(?![\t\r\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A character as the command writes it. */
function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

/** Return a CSV cell. Names and tags are untrusted: a spreadsheet must not run them (OWASP, "CSV Injection"). */
export function csvCell(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? "" : String(value);
  const plain = (FORMULA.test(text) ? `'${text}` : text).replaceAll(INVISIBLE, escaped);
  return QUOTED.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

export function csvText(rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(",")}\n`).join("");
}

/** Save the text as a file. */
export function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
