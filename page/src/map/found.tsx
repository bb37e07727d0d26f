/** Search results, with buttons that show them on the map. */

import { parseBlock, type Block } from "../addresses";
import { counted, formatNumber, Words } from "../parts/text";
import { blockMeant } from "../search";
import { accountLabel, type Vpc } from "../world";

const LISTED = 12;

interface Props {
  readonly found: readonly Vpc[];
  readonly text: string;
  readonly go: (block: Block, isDeep: boolean) => void;
  readonly showVpc: (vpc: Vpc) => void;
}

export function Found({ found, text, go, showVpc }: Props) {
  const meant = blockMeant(text);
  const block = meant ? parseBlock(meant) : null;
  return (
    <section class="found" aria-label="Matches">
      <p>
        {counted(found.length, "VPC")} found
        {found.length > LISTED && `; the first ${LISTED} are listed, all are highlighted on the map`}
        {block && meant && (
          <>
            {" "}
            <button type="button" onClick={() => go(block, true)}>
              Go to {meant}
            </button>
          </>
        )}
      </p>
      <ul>
        {found.slice(0, LISTED).map((vpc) => (
          <li>
            <button type="button" onClick={() => showVpc(vpc)}>
              <span class="id">{vpc.id}</span> <Words text={vpc.name} /> {vpc.cidrs.join(", ") || vpc.ipv6.join(", ")}{" "}
              <span class="muted">
                <Words text={accountLabel(vpc.account)} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      {found.length > LISTED && <p class="muted">{formatNumber(found.length - LISTED)} more</p>}
    </section>
  );
}
