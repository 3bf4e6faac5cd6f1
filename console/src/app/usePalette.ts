import { useDisclosure, useHotkeys } from "@mantine/hooks";

/** Ctrl K opens the palette from anywhere, also from within a field. */
export function usePalette() {
  const [opened, { open, close, toggle }] = useDisclosure();
  useHotkeys([["mod+K", toggle]], [], true);
  return { opened, open, close };
}
