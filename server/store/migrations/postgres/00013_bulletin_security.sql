-- Only the MSP's transactions see bulletins.

-- +goose Up
ALTER TABLE bulletin ENABLE ROW LEVEL SECURITY;
ALTER TABLE bulletin FORCE ROW LEVEL SECURITY;
CREATE POLICY msp ON bulletin USING (current_setting('patchbay.msp', true) = 'yes')
    WITH CHECK (current_setting('patchbay.msp', true) = 'yes');
ALTER TABLE bulletin_known ENABLE ROW LEVEL SECURITY;
ALTER TABLE bulletin_known FORCE ROW LEVEL SECURITY;
CREATE POLICY msp ON bulletin_known USING (current_setting('patchbay.msp', true) = 'yes')
    WITH CHECK (current_setting('patchbay.msp', true) = 'yes');
