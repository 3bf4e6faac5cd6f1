-- Only the MSP's transactions see content.

-- +goose Up
ALTER TABLE content ENABLE ROW LEVEL SECURITY;
ALTER TABLE content FORCE ROW LEVEL SECURITY;
CREATE POLICY msp ON content USING (current_setting('patchbay.msp', true) = 'yes')
    WITH CHECK (current_setting('patchbay.msp', true) = 'yes');
