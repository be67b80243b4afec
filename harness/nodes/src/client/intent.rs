//! Whether a device wants a call sealed (design, section 1.3): its own half of the question.

use model::plan::PolicyValue;
use model::release::{TenantKind, Version};

use super::Body;

impl Body {
    /// 1 when nothing on this side speaks against sealing, else 0. The policy is asked for each call anew, and
    /// stays what it was for the whole call.
    pub(super) async fn own_intent(&self) -> u8 {
        let setup = &self.setup;
        let offered = setup.release.offers_on(setup.platform)
            && setup.version == Version::Current
            && (setup.preview_ring || !setup.release.preview_ring)
            && setup.tenant_kind == TenantKind::Commercial
            && !setup.compliance_recording;
        if !setup.e2ee || !offered {
            return 0;
        }
        let policy = setup.policy.effective(&setup.device.user).await;
        let allowed = policy == Some(PolicyValue::DisabledUserOverride) || !self.deviation.heeds_policy();
        u8::from(allowed)
    }
}
