import { Radio } from "@mantine/core";
import type { Choice } from "../../lib/standing";

interface Props {
  label: string;
  choices: Choice[];
  value: string;
  change: (value: string) => void;
  /** What not to say anything is called, and what holds then. */
  unset: string;
  unsetAbout: string;
}

/** One of a few, each with what it means; or nothing said here. */
export function Choices({ label, choices, value, change, unset, unsetAbout }: Props) {
  return (
    <Radio.Group label={label} value={value} onChange={change}>
      <div className="standing-choices">
        <Radio value="" label={unset} description={unsetAbout} />
        {choices.map((c) => <Radio key={c.value} value={c.value} label={c.label} description={c.description} />)}
      </div>
    </Radio.Group>
  );
}
