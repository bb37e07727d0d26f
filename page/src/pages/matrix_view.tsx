/** The drawn matrix: only visible cells are computed and painted. The fields above it give the same answers as text. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatNumber, Words } from "../parts/text";
import { Matrix, type Answer, type CellOfMatrix, type Group } from "../matrix";
import type { World } from "../world";

interface Props {
  readonly world: World;
  readonly groups: readonly Group[];
  readonly isDark: boolean;
  readonly chosen: readonly [number, number];
  readonly choose: (row: number, column: number) => void;
}

export const ANSWERS: Record<Answer, string> = {
  yes: "every pair can be peered",
  partly: "some pairs can be peered",
  no: "no pair can be peered",
  apart: "different spaces or partitions",
  none: "no pairs of VPCs",
};

const COLOURS: Record<"light" | "dark", Record<Answer, string>> = {
  light: { yes: "#bfe3cb", partly: "#f3d37c", no: "#e58a80", apart: "#dfe3e8", none: "#f6f7f9" },
  dark: { yes: "#24593a", partly: "#8a6a14", no: "#a13d34", apart: "#323c48", none: "#1c232c" },
};
const HEAD = 150;
const LARGEST = 34;
const LEAST = 7;

export function MatrixView({ world, groups, isDark, chosen, choose }: Props) {
  const matrix = useMemo(() => new Matrix(groups, world), [groups, world]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const [over, setOver] = useState<readonly [number, number]>(chosen);
  const side = Math.max(LEAST, Math.min(LARGEST, Math.floor(700 / Math.max(1, groups.length))));
  const full = groups.length * side;
  useEffect(() => {
    setOver(chosen);
    follow(scroller.current, chosen, side);
  }, [chosen[0], chosen[1], groups]);
  useEffect(() => {
    const draw = () =>
      canvas.current && scroller.current && paint(canvas.current, scroller.current, matrix, side, over, isDark);
    draw();
    const box = scroller.current;
    const sizes = new ResizeObserver(draw);
    if (box) sizes.observe(box);
    box?.addEventListener("scroll", draw);
    return () => {
      sizes.disconnect();
      box?.removeEventListener("scroll", draw);
    };
  }, [matrix, side, over, isDark]);

  const at = (event: MouseEvent): readonly [number, number] | null => {
    const box = scroller.current!.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - HEAD + scroller.current!.scrollLeft) / side);
    const row = Math.floor((event.clientY - box.top - HEAD + scroller.current!.scrollTop) / side);
    const isInside =
      event.clientX - box.left > HEAD &&
      event.clientY - box.top > HEAD &&
      row < groups.length &&
      column < groups.length;
    return isInside ? [row, column] : null;
  };
  const onKey = (event: KeyboardEvent) => {
    const sides: Record<string, readonly [number, number]> = {
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
    };
    const step = sides[event.key];
    if (event.key === "Enter") choose(...over);
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const keep = (number: number) => Math.max(0, Math.min(groups.length - 1, number));
    const next = [keep(over[0] + step[0]), keep(over[1] + step[1])] as const;
    setOver(next);
    follow(scroller.current, next, side);
  };
  const [row, column] = over;
  const cell = groups.length ? matrix.cell(row, column) : null;
  return (
    <div class="matrix">
      <p class="summary" role="status">
        {cell && (
          <>
            <Words text={groups[row]?.label ?? ""} /> and <Words text={groups[column]?.label ?? ""} />: {tell(cell)}
          </>
        )}
      </p>
      <div class="matrix-box" ref={scroller}>
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-roledescription="matrix"
          aria-label="Matrix of VPCs that can be peered. Arrow keys move, Enter shows the reasons."
          onKeyDown={onKey}
          onClick={(event) => {
            const cell = at(event);
            if (cell) choose(...cell);
          }}
          onPointerMove={(event) => {
            const cell = at(event);
            if (cell && (cell[0] !== row || cell[1] !== column)) setOver(cell);
          }}
        />
        <div class="matrix-size" style={{ width: `${full + HEAD + 8}px`, height: `${full + HEAD + 8}px` }} />
      </div>
      <ul class="legend-row">
        {(Object.keys(ANSWERS) as Answer[]).map((answer) => (
          <li>
            <span class="swatch" style={{ background: COLOURS[isDark ? "dark" : "light"][answer] }}>
              {SIGNS[answer]}
            </span>
            {ANSWERS[answer]}
          </li>
        ))}
        <li>
          <span class="swatch">●</span>already peered
        </li>
      </ul>
    </div>
  );
}

const SIGNS: Record<Answer, string> = { yes: "", partly: "/", no: "✕", apart: "–", none: "" };

function tell(cell: CellOfMatrix): string {
  if (!cell.pairs) return ANSWERS.none;
  const apart = cell.apart ? `; ${formatNumber(cell.apart)} are in different spaces or partitions` : "";
  return `${formatNumber(cell.peerable)} of ${formatNumber(cell.pairs)} pairs of VPCs can be peered${apart}${cell.linked ? "; some already are" : ""}`;
}

function follow(box: HTMLDivElement | null, [row, column]: readonly [number, number], side: number): void {
  if (!box) return;
  const [x, y] = [column * side, row * side];
  if (x < box.scrollLeft) box.scrollLeft = x;
  if (y < box.scrollTop) box.scrollTop = y;
  if (x + side > box.scrollLeft + box.clientWidth - HEAD) box.scrollLeft = x + side - box.clientWidth + HEAD;
  if (y + side > box.scrollTop + box.clientHeight - HEAD) box.scrollTop = y + side - box.clientHeight + HEAD;
}

function paint(
  canvas: HTMLCanvasElement,
  box: HTMLDivElement,
  matrix: Matrix,
  side: number,
  over: readonly [number, number],
  isDark: boolean,
): void {
  const [width, height] = [box.clientWidth, box.clientHeight];
  const ratio = devicePixelRatio || 1;
  if (!width || !height) return;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const to = canvas.getContext("2d");
  if (!to) return;
  to.setTransform(ratio, 0, 0, ratio, 0, 0);
  const colours = COLOURS[isDark ? "dark" : "light"];
  const [ink, ground] = isDark ? ["#eef2f7", "#1a2029"] : ["#18212c", "#ffffff"];
  to.fillStyle = ground;
  to.fillRect(0, 0, width, height);
  const number = matrix.groups.length;
  const [left, top] = [Math.floor(box.scrollLeft / side), Math.floor(box.scrollTop / side)];
  const [right, bottom] = [
    Math.min(number, left + Math.ceil((width - HEAD) / side) + 1),
    Math.min(number, top + Math.ceil((height - HEAD) / side) + 1),
  ];
  to.save();
  to.beginPath();
  to.rect(HEAD, HEAD, width - HEAD, height - HEAD);
  to.clip();
  to.textAlign = "center";
  to.textBaseline = "middle";
  to.font = `${Math.min(14, side - 3)}px system-ui, sans-serif`;
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const cell = matrix.cell(row, column);
      const [x, y] = [HEAD + column * side - box.scrollLeft, HEAD + row * side - box.scrollTop];
      to.fillStyle = colours[cell.answer];
      to.fillRect(x, y, side - (side > 9 ? 1 : 0.5), side - (side > 9 ? 1 : 0.5));
      to.fillStyle = ink;
      if (cell.linked && side >= 7) dot(to, x + side - 4, y + 4);
      if (side >= 12 && SIGNS[cell.answer]) to.fillText(SIGNS[cell.answer], x + side / 2, y + side / 2);
    }
  }
  to.strokeStyle = ink;
  to.lineWidth = 2;
  to.strokeRect(HEAD + over[1] * side - box.scrollLeft, HEAD + over[0] * side - box.scrollTop, side, side);
  to.restore();
  paintNames(to, matrix, side, box, over, ink, [left, right, top, bottom]);
}

function dot(to: CanvasRenderingContext2D, x: number, y: number): void {
  to.beginPath();
  to.arc(x, y, 2, 0, 7);
  to.fill();
}

function paintNames(
  to: CanvasRenderingContext2D,
  matrix: Matrix,
  side: number,
  box: HTMLDivElement,
  over: readonly [number, number],
  ink: string,
  [left, right, top, bottom]: readonly [number, number, number, number],
): void {
  const every = Math.max(1, Math.ceil(12 / side));
  to.fillStyle = ink;
  to.textBaseline = "middle";
  const name = (at: number, isOver: boolean) => {
    to.font = `${isOver ? "600 " : ""}11px system-ui, sans-serif`;
    const label = matrix.groups[at]?.label ?? "";
    return label.length > 22 ? `${label.slice(0, 21)}…` : label;
  };
  const isNear = (at: number, chosen: number) => at !== chosen && Math.abs(at - chosen) * side < 12;
  for (let row = top; row < bottom; row++) {
    if ((row % every && row !== over[0]) || isNear(row, over[0])) continue;
    const y = HEAD + (row + 0.5) * side - box.scrollTop;
    to.textAlign = "right";
    if (y > HEAD - 2) to.fillText(name(row, row === over[0]), HEAD - 6, y, HEAD - 10);
  }
  for (let column = left; column < right; column++) {
    if ((column % every && column !== over[1]) || isNear(column, over[1])) continue;
    const x = HEAD + (column + 0.5) * side - box.scrollLeft;
    if (x < HEAD - 2) continue;
    to.save();
    to.translate(x, HEAD - 6);
    to.rotate(-Math.PI / 2);
    to.textAlign = "left";
    to.fillText(name(column, column === over[1]), 0, 0, HEAD - 10);
    to.restore();
  }
}
