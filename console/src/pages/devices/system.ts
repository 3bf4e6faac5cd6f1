import type { Device } from "../../api/types";

/** The operating system with its release, said once. */
export function systemOf(d: Device): string {
  const name = d.os_name ?? "";
  const release = d.release ?? "";
  return release === "" || name.includes(release) ? name : `${name} ${release}`.trim();
}
