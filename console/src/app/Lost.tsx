import { Button } from "@mantine/core";
import { Link, type ErrorComponentProps } from "@tanstack/react-router";
import { Empty, Trouble } from "../ui/States";
import { paths } from "../paths";

export function Lost() {
  return (
    <div className="page">
      <title>Not found · Patchbay</title>
      <Empty
        title="There is no such page"
        act={<Button variant="default" renderRoot={(props) => <Link {...props} {...paths.home()} />}>Go to the overview</Button>}
      >
        The address may be old, or what it named has been retired. Press Ctrl K to find a device, an update or a customer.
      </Empty>
    </div>
  );
}

/** The page itself failed: the session could not be read, or the program is wrong. */
export function Broken({ error, reset }: ErrorComponentProps) {
  return (
    <div className="page">
      <title>Something failed · Patchbay</title>
      <Trouble error={error} what="This page cannot be shown." retry={reset} />
    </div>
  );
}
