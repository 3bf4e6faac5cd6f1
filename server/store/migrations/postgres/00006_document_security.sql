-- Only the MSP's transactions see the documents.

-- +goose Up
ALTER TABLE document ENABLE ROW LEVEL SECURITY;
ALTER TABLE document FORCE ROW LEVEL SECURITY;
CREATE POLICY msp ON document USING (current_setting('patchbay.msp', true) = 'yes')
    WITH CHECK (current_setting('patchbay.msp', true) = 'yes');
