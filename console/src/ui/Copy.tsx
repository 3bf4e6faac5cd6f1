import { Button, CopyButton } from "@mantine/core";
import { Fragment } from "react";
import { Icon } from "./Icon";

/** A button that copies, and says that it did. */
export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  return (
    <CopyButton value={text} timeout={1600}>
      {({ copied, copy }) => (
        <Button size="xs" variant="default" onClick={copy} leftSection={<Icon name={copied ? "check" : "copy"} size={14} />}>
          {copied ? "Copied" : label}
        </Button>
      )}
    </CopyButton>
  );
}

/** One line to be run somewhere else. */
export function CopyLine({ text, label }: { text: string; label?: string }) {
  return (
    <div className="copy-line">
      <code>{text.split(" ").map((word, i) => <Fragment key={i}>{i > 0 && " "}<span>{word}</span></Fragment>)}</code>
      <Copy text={text} label={label} />
    </div>
  );
}
