import { Button, Modal, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { makeCustomer } from "../../api/acts";
import { Problem } from "../../api/client";
import { paths } from "../../paths";
import { Trouble } from "../../ui/States";

export function NewCustomer({ close }: { close: () => void }) {
  const [name, setName] = useState("");
  const [note, setNote] = useState("");
  const client = useQueryClient();
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: () => makeCustomer({ name, note }),
    onSuccess: (c) => {
      void client.invalidateQueries({ queryKey: ["customer"] });
      void navigate(paths.customer(c.id));
    },
  });
  const field = make.error instanceof Problem ? make.error.field("name") : undefined;
  return (
    <Modal opened onClose={close} title={<h2>Add a customer</h2>} closeButtonProps={{ "aria-label": "Close" }}>
      <form className="stack" onSubmit={(e) => { e.preventDefault(); make.mutate(); }}>
        <TextInput label="Name" required maxLength={100} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={field} />
        <Textarea label="Note (only your team sees it)" autosize minRows={2} value={note} onChange={(e) => setNote(e.currentTarget.value)} />
        {make.error && !field && <Trouble error={make.error} what="The customer was not added." />}
        <div className="row" style={{ justifyContent: "flex-end" }}>
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={make.isPending}>Add the customer</Button>
        </div>
      </form>
    </Modal>
  );
}
