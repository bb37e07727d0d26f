/** The tooltip under the pointer. The panel shows the same to readers without a pointer. */

import { formatBlock, type Block } from "../addresses";
import { counted, Words } from "../parts/text";
import type { World } from "../world";
import { claimsInside } from "./space";

export interface Hover {
  readonly block: Block;
  readonly x: number;
  readonly y: number;
}

export function Tip({ hover, world, space }: { hover: Hover; world: World; space: number }) {
  const inside = claimsInside(world.claims[space] ?? [], hover.block);
  const exact = inside.filter((claim) => claim.length === hover.block.length);
  const isLeft = hover.x > innerWidth - 300;
  const style = {
    top: `${Math.min(hover.y + 14, innerHeight - 130)}px`,
    ...(isLeft ? { right: `${innerWidth - hover.x + 12}px` } : { left: `${hover.x + 12}px` }),
  };
  return (
    <div class="tip" style={style} aria-hidden="true">
      <b>{formatBlock(hover.block)}</b>
      {exact.slice(0, 3).map(({ vpc, clash }) => (
        <div>
          <Words text={vpc.name || vpc.id} />{" "}
          <span class="muted">
            <Words text={vpc.account.name || vpc.account.id} />, {vpc.region}
          </span>
          {clash === "collision" && <span class="badge bad">overlap</span>}
          {vpc.stale !== null && <span class="badge">as last known</span>}
        </div>
      ))}
      {exact.length > 3 && <div>and {exact.length - 3} more VPCs</div>}
      {!exact.length && <div class="muted">{inside.length ? counted(inside.length, "VPC block") : "free"}</div>}
    </div>
  );
}
