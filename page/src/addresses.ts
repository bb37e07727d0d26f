/** Address blocks: IPv4 as numbers, for drawing; IPv4 and IPv6 as ranges, for comparing. */

export interface Block {
  readonly first: number;
  readonly length: number;
}

const FOUR = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/;

/** Return the IPv4 block of `10.0.0.0/8` or `10.1.2.3`; bits after the prefix are cleared. Null for any other text. */
export function parseBlock(text: string): Block | null {
  const found = FOUR.exec(text.trim());
  if (!found) return null;
  const octets = found.slice(1, 5).map(Number);
  const length = found[5] === undefined ? 32 : Number(found[5]);
  if (length > 32 || octets.some((octet) => octet > 255)) return null;
  return blockAt(
    octets.reduce((sum, octet) => sum * 256 + octet, 0),
    length,
  );
}

/** Return the block of that prefix length that contains the address. */
export function blockAt(address: number, length: number): Block {
  const size = 2 ** (32 - length);
  return { first: Math.floor(address / size) * size, length };
}

export function sizeOf(block: Block): number {
  return 2 ** (32 - block.length);
}

export function lastOf(block: Block): number {
  return block.first + sizeOf(block) - 1;
}

export function contains(outer: Block, inner: Block): boolean {
  return outer.length <= inner.length && outer.first <= inner.first && inner.first <= lastOf(outer);
}

export function overlaps(block: Block, other: Block): boolean {
  return block.first <= lastOf(other) && other.first <= lastOf(block);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

export function formatBlock(block: Block): string {
  return `${formatAddress(block.first)}/${block.length}`;
}

/** Return the short form of a block: 10.21/16 for 10.21.0.0/16. */
export function shortBlock(block: Block): string {
  const octets = formatAddress(block.first)
    .split(".")
    .slice(0, Math.max(1, Math.ceil(block.length / 8)));
  return `${octets.join(".")}/${block.length}`;
}

/** Return the blocks that contain `block`, from all of IPv4 down to itself, at common prefix lengths. */
export function breadcrumb(block: Block): Block[] {
  const lengths = [0, 8, 12, 16, 20, 24, 28].filter((length) => length < block.length);
  return [...lengths.map((length) => blockAt(block.first, length)), block];
}

/** Return the first and last address of an IPv4 or IPv6 block; null for any other text. */
export function rangeOf(text: string): readonly [bigint, bigint, 4 | 6] | null {
  const four = parseBlock(text);
  if (four) return [BigInt(four.first), BigInt(lastOf(four)), 4];
  return text.includes(":") ? rangeOfSix(text.trim()) : null;
}

function rangeOfSix(text: string): readonly [bigint, bigint, 6] | null {
  const [address = "", length = "128"] = text.split("/");
  const [head = "", tail] = address.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const left = groups(head);
  const right = groups(tail ?? "");
  const missing = 8 - left.length - right.length;
  const all = tail === undefined ? left : [...left, ...Array<string>(Math.max(missing, 0)).fill("0"), ...right];
  const bits = Number(length);
  if (all.length !== 8 || !/^\d{1,3}$/.test(length) || bits > 128) return null;
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  const value = all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  const host = (1n << BigInt(128 - bits)) - 1n;
  return [value & ~host, value | host, 6];
}
