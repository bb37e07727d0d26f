/** A table that can be sorted, filtered, paged and saved as CSV. Empty columns are left out. */

import type { ComponentChildren } from "preact";
import { useId, useMemo, useState } from "preact/hooks";
import { csvText, download } from "./csv";
import { usePaper } from "./paper";
import { counted, formatNumber, Words } from "./text";

export type Value = string | number | null;

export interface Column<Row> {
  readonly title: string;
  /** The value to sort and filter by, and to write to CSV. */
  readonly value: (row: Row) => Value;
  /** How to show the value, if not as text. */
  readonly show?: (row: Row) => ComponentChildren;
  readonly isNumber?: boolean;
}

interface Props<Row> {
  readonly name: string;
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly empty: string;
  readonly noun?: readonly [string, string];
  readonly marked?: (row: Row) => string;
  readonly sortedBy?: readonly [column: number, isDown: boolean];
}

const ON_A_PAGE = 50;
/** Tables with at most this many rows need no filter. */
const UNFILTERED = 5;
const ON_PAPER = 1_000;

export function Table<Row>(props: Props<Row>) {
  const { columns, rows } = props;
  const [sorting, setSorting] = useState(props.sortedBy ?? null);
  const [filter, setFilter] = useState("");
  const [page, setPage] = useState(0);
  const isOnPaper = usePaper();
  const label = useId();
  const kept = useMemo(() => filtered(rows, columns, filter), [rows, filter]);
  const inOrder = useMemo(() => sorted(kept, columns, sorting), [kept, sorting]);
  if (!rows.length) return <p class="empty">{props.empty}</p>;
  const isShown = columns.map((column) => column.isNumber || rows.some((row) => column.value(row)));
  const [singular, plural] = props.noun ?? ["row", "rows"];
  const pages = Math.max(1, Math.ceil(inOrder.length / ON_A_PAGE));
  const at = Math.min(page, pages - 1);
  const shown = isOnPaper ? inOrder.slice(0, ON_PAPER) : inOrder.slice(at * ON_A_PAGE, (at + 1) * ON_A_PAGE);
  const count = filter
    ? `${formatNumber(kept.length)} of ${counted(rows.length, singular, plural)}`
    : counted(rows.length, singular, plural);
  const sortBy = (column: number) => {
    setSorting(sorting?.[0] === column ? [column, !sorting[1]] : [column, columns[column]?.isNumber ?? false]);
    setPage(0);
  };
  const save = () =>
    download(
      `${props.name}.csv`,
      csvText([
        columns.map((column) => column.title),
        ...inOrder.map((row) => columns.map((column) => column.value(row))),
      ]),
    );
  return (
    <div class="table">
      <div class="bar">
        {rows.length > UNFILTERED && (
          <label class="filter">
            <span>Filter</span>
            <input
              type="search"
              value={filter}
              onInput={(event) => {
                setFilter(event.currentTarget.value);
                setPage(0);
              }}
              aria-controls={label}
            />
          </label>
        )}
        <span class="count" role="status">
          {count}
        </span>
        <button type="button" onClick={save}>
          CSV<span class="aloud"> of {props.caption}</span>
        </button>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label={props.caption}>
        <table id={label}>
          <caption class="aloud">{props.caption}</caption>
          <thead>
            <tr>
              {columns.map(
                (column, number) =>
                  isShown[number] && (
                    <th
                      scope="col"
                      class={column.isNumber ? "number" : undefined}
                      aria-sort={sorting?.[0] === number ? (sorting[1] ? "descending" : "ascending") : "none"}
                    >
                      <button type="button" onClick={() => sortBy(number)}>
                        {column.title}
                        <span class="arrow" aria-hidden="true">
                          {sorting?.[0] === number ? (sorting[1] ? "▼" : "▲") : ""}
                        </span>
                      </button>
                    </th>
                  ),
              )}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr class={props.marked?.(row)}>
                {columns.map(
                  (column, number) =>
                    isShown[number] && (
                      <td class={column.isNumber ? "number" : undefined}>
                        {column.show ? column.show(row) : <Plain value={column.value(row)} />}
                      </td>
                    ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {pages > 1 && !isOnPaper && (
        <nav class="pages" aria-label={`Pages of ${props.caption}`}>
          <button type="button" disabled={at === 0} onClick={() => setPage(at - 1)}>
            Previous
          </button>
          <span>
            {formatNumber(at * ON_A_PAGE + 1)} to {formatNumber(at * ON_A_PAGE + shown.length)} of{" "}
            {formatNumber(inOrder.length)}
          </span>
          <button type="button" disabled={at === pages - 1} onClick={() => setPage(at + 1)}>
            Next
          </button>
        </nav>
      )}
      {isOnPaper && inOrder.length > ON_PAPER && (
        <p>{formatNumber(inOrder.length - ON_PAPER)} more rows are not printed; the CSV has all of them.</p>
      )}
    </div>
  );
}

function Plain({ value }: { value: Value }) {
  if (typeof value === "number") return <>{formatNumber(value)}</>;
  return value ? <Words text={value} /> : null;
}

function filtered<Row>(rows: readonly Row[], columns: readonly Column<Row>[], filter: string): readonly Row[] {
  const parts = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (!parts.length) return rows;
  return rows.filter((row) => {
    const searched = columns
      .map((column) => column.value(row) ?? "")
      .join("\n")
      .toLowerCase();
    return parts.every((part) => searched.includes(part));
  });
}

const inWords = new Intl.Collator("en", { numeric: true });

function sorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sorting: readonly [number, boolean] | null,
): readonly Row[] {
  const column = sorting && columns[sorting[0]];
  if (!column) return rows;
  const keyed = rows.map((row) => ({ row, key: column.value(row) }));
  keyed.sort((a, b) => compare(a.key, b.key) * (sorting[1] ? -1 : 1));
  return keyed.map(({ row }) => row);
}

function compare(a: Value, b: Value): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (a === null || b === null) return Number(b === null) - Number(a === null);
  return inWords.compare(String(a), String(b));
}
