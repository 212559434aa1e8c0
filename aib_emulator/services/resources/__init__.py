"""Resource Manager itself: subscriptions, groups, providers and what lies in them."""
