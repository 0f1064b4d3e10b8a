"""The tables of a simulated world: names, columns, types, and what each column means.

Belongs here: the shape of `World` only. Does not belong here: how rows are made (the other modules
of this folder) or how an API shows them (`sources/*/sandbox.py`).

Rules for every table
- Times are UTC, type Datetime("us") without zone, whole seconds. Dates are `pl.Date`.
- Money is an integer number of minor units (`*_minor`), in the `currency` of the row (or of its
  order); `marketplaces.decimals` says how many (JPY 0, EUR 2). Without tax unless named tax.
- A world holds orders placed before `World.end` with all that follows from them, so rows may lie
  after a reader's clock: readers filter by event time <= clock. What lies before a clock does not
  depend on how far the world was built.
- `sku` is the seller's own SKU; `listing_sku` the text that the source shows instead (mostly equal;
  where not, `listings` has it and the seller's `sku_map` file maps it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

import polars as pl

from sources._sandbox.scenario import Scenario

TIME = pl.Datetime("us")
MONEY = pl.Int64
Columns = Mapping[str, type[pl.DataType] | pl.DataType]

MARKETPLACES: Columns = {
    "account": pl.String,
    "connector": pl.String,
    "marketplace": pl.String,  # amazon_de; of connector files: the account's name
    "country": pl.String,  # home country (files: where most buyers are)
    "currency": pl.String,
    "decimals": pl.Int8,
    "tax_rate_bp": pl.Int64,  # basis points
    "prices_include_tax": pl.Boolean,
    "time_zone": pl.String,
    "region_group": pl.String,  # NA, EU, FE
    "marketplace_id": pl.String,  # ATVPDKIKX0DER ...; files: empty
    "sales_channel": pl.String,  # Amazon.de ...
    "language": pl.String,  # of comments there
}
SUPPLIERS: Columns = {
    "supplier_id": pl.String,
    "supplier_name": pl.String,
    "country": pl.String,
    "factory_id": pl.String,
}
PRODUCTS: Columns = {
    "sku": pl.String,  # SKU-0001 ...
    "product_id": pl.String,  # P-0001 ...
    "sku_name": pl.String,
    "sku_name_zh": pl.String,
    "category": pl.String,
    "variant_size": pl.String,  # null: no sizes
    "size_order": pl.Int64,  # 1 = smallest
    "colour": pl.String,
    "brand": pl.String,
    "supplier_id": pl.String,
    "unit_landed_cost_minor": MONEY,
    "cost_currency": pl.String,
    "weight_g": pl.Int64,
    "launch_date": pl.Date,
    "asin": pl.String,
    "fnsku": pl.String,
    "has_expiry": pl.Boolean,
}
LISTINGS: Columns = {
    "account": pl.String,
    "sku": pl.String,
    "listing_sku": pl.String,
    "asin": pl.String,
    "fnsku": pl.String,
    "item_id": pl.String,  # eBay: digits, one per product; else null
    "variant_id": pl.String,  # own shops and eBay: digits; else null
}
LOTS: Columns = {
    "lot_id": pl.String,  # SKU-0007-L03; a lot belongs to one sku
    "sku": pl.String,
    "supplier_id": pl.String,
    "factory_id": pl.String,
    "po_number": pl.String,
    "production_date": pl.Date,
    "expiry_date": pl.Date,  # all lots of a food SKU have one, others none
    "arrived_at": TIME,  # first receipt; the purchase batch is known from then on
    "quantity_produced": pl.Int64,
    "unit_cost_minor": MONEY,
    "unit_freight_minor": MONEY,
    "unit_duty_minor": MONEY,
    "unit_other_minor": MONEY,
    "currency": pl.String,
    "true_defect_rate": pl.Float64,
}
RECEIPTS: Columns = {
    "receipt_id": pl.String,
    "line_no": pl.Int64,
    "fulfilment_centre_id": pl.String,
    "country": pl.String,
    "stock_pool": pl.String,
    "account": pl.String,  # of FBA centres, else null
    "lot_id": pl.String,
    "sku": pl.String,
    "received_at": TIME,
    "quantity_received": pl.Int64,  # includes the damaged ones
    "quantity_damaged": pl.Int64,
}
WAREHOUSES: Columns = {
    "fulfilment_centre_id": pl.String,
    "name": pl.String,
    "country": pl.String,
    "kind": pl.String,  # marketplace (FBA centre of one account) or own
    "account": pl.String,  # of FBA centres, else null
    "region_group": pl.String,
    "stock_pool": pl.String,  # FBA: account|region_group; own: the centre, or the scenario's word
}
STOCK_MOVES: Columns = {  # mishaps in Amazon's centres, and sellable goods taken home; by lot
    "reference_id": pl.String,  # one per event
    "account": pl.String,
    "sku": pl.String,
    "listing_sku": pl.String,
    "fulfilment_centre_id": pl.String,
    "country": pl.String,
    "stock_pool": pl.String,
    "moved_at": TIME,
    "kind": pl.String,  # mislaid (found later), lost, found, damaged, removed
    "lot_id": pl.String,
    "quantity": pl.Int64,  # of sellable stock, signed
}
REMOVALS: Columns = {  # one row per removal order, SKU, state and centre
    "removal_id": pl.String,
    "account": pl.String,
    "sku": pl.String,
    "listing_sku": pl.String,
    "disposition": pl.String,
    "fulfilment_centre_id": pl.String,
    "quantity": pl.Int64,
    "order_type": pl.String,  # Disposal, Return
    "requested_at": TIME,
    "shipped_at": TIME,  # or disposed of
    "fee_minor": MONEY,
    "currency": pl.String,
    "tracking_number": pl.String,
}
BUYERS: Columns = {  # personal data: for the servers only
    "customer_no": pl.String,
    "name": pl.String,  # has buyers.MARK in it
    "email": pl.String,  # ends in @buyer.example
    "phone": pl.String,  # has 555-01 in it
    "street": pl.String,  # has buyers.MARK in it
    "postcode": pl.String,  # starts with QF
    "city": pl.String,
    "state": pl.String,
    "country": pl.String,
}
ORDERS: Columns = {
    "order_id": pl.String,  # Amazon 3-7-7 digits
    "order_number": pl.String,  # what people see (files, shopify), else the order id
    "account": pl.String,
    "connector": pl.String,
    "marketplace": pl.String,
    "country": pl.String,  # ship to
    "currency": pl.String,
    "customer_no": pl.String,
    "is_guest": pl.Boolean,  # own shops: bought without an account
    "ordered_at": TIME,
    "paid_at": TIME,  # null: never paid (cancelled while pending)
    "fulfilled_by": pl.String,  # marketplace or seller
    "fulfilment_centre_id": pl.String,
    "stock_pool": pl.String,
    "carrier": pl.String,
    "service": pl.String,
    "ship_by_at": TIME,
    "deliver_by_at": TIME,
    "shipped_complete_at": TIME,  # last parcel left; null: never
    "cancelled_at": TIME,  # whole order cancelled
    "cancel_reason": pl.String,
    "cancelled_by": pl.String,  # BUYER, MERCHANT, AMAZON
    "replaces_order_id": pl.String,
    "link_kind": pl.String,  # replacement or exchange; null: an ordinary order
    "is_business": pl.Boolean,
    "payment_method": pl.String,
}
ORDER_LINES: Columns = {
    "order_id": pl.String,
    "line_no": pl.Int64,  # 1..; two lines of an order may have one sku
    "order_item_id": pl.String,  # 14 digits
    "sku": pl.String,
    "listing_sku": pl.String,
    "quantity": pl.Int64,  # ordered
    "quantity_cancelled": pl.Int64,  # before shipping; the whole line's when the order is cancelled
    "line_cancelled_at": TIME,  # when; null: nothing cancelled
    "cancel_reason": pl.String,
    "cancelled_by": pl.String,
    # Amounts of q units are q times these, exactly. Net of a unit = price - discount.
    "unit_price_minor": MONEY,  # tax-free, before discount
    "unit_discount_minor": MONEY,
    "unit_tax_minor": MONEY,  # of price - discount
    # Shipping is of the line as a whole; 0 when the whole line was cancelled.
    "shipping_minor": MONEY,  # tax-free, before discount
    "shipping_discount_minor": MONEY,
    "shipping_tax_minor": MONEY,  # of shipping - shipping discount
    "promotion_ids": pl.String,  # null: none
    "is_delisted": pl.Boolean,  # own shops: the product is no longer there to look up
    "added_at": TIME,  # own shops: a line of an exchange, put into the order then; else null
}
UNITS: Columns = {  # every ordered unit, what truly happened to it
    "order_id": pl.String,
    "line_no": pl.Int64,
    "unit_no": pl.Int64,
    "sku": pl.String,
    "shipment_item_id": pl.String,  # null: cancelled before shipping
    "shipped_at": TIME,
    "delivered_at": TIME,  # null: never
    "stock_pool": pl.String,
    "lot_id": pl.String,  # null: not shipped
    "is_scanned": pl.Boolean,
    "true_cause": pl.String,  # canonical l1.l2 of what went wrong; null: nothing
    "fault_id": pl.String,  # planted fault behind it; null: none
    # when all is over: cancelled, kept, returned_refunded, returned_unrefunded, exchanged,
    # replaced, refunded_no_return, partial_kept, undelivered, request_withdrawn
    "outcome": pl.String,
    "return_no": pl.String,  # row of `returns` that shows it coming back
    "refund_no": pl.String,  # the refund of the whole unit
    "linked_order_id": pl.String,  # its replacement or exchange order
}
SHIPMENTS: Columns = {  # one row per order line and parcel
    "shipment_id": pl.String,
    "shipment_item_id": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int64,
    "parcel_no": pl.Int64,  # 1 or 2 within the order
    "quantity": pl.Int64,
    "fulfilment_centre_id": pl.String,
    "origin": pl.String,  # country
    "shipped_at": TIME,
    "reported_at": TIME,  # when it appears in the fulfilled-shipments report
    "estimated_arrival_date": pl.Date,
    "delivered_at": TIME,
    "carrier": pl.String,
    "service": pl.String,
    "tracking_number": pl.String,
    "state": pl.String,  # delivered, lost, refused, undeliverable (at the end)
    "state_at": TIME,  # when that was known
    "customs_days": pl.Float64,  # that customs keeps it; 0: not at all
    "is_followed": pl.Boolean,  # whether a shop's platform hears of this carrier's parcels
    # share of the line's shipping that this parcel shows: all on the line's first parcel
    "has_line_shipping": pl.Boolean,
}
RETURNS: Columns = {  # one row as a report or a returns file shows it; its units in `return_units`
    "return_no": pl.String,  # also the return_ref of files accounts
    "account": pl.String,
    "connector": pl.String,
    "fulfilled_by": pl.String,  # the FBA report shows `marketplace` only
    "order_id": pl.String,
    "line_no": pl.Int64,
    "sku": pl.String,
    "listing_sku": pl.String,
    "quantity": pl.Int64,
    "fulfilment_centre_id": pl.String,
    "requested_at": TIME,  # null: undeliverable, nobody asked
    "received_at": TIME,  # null: goods never came (withdrawn request)
    "posted_at": TIME,  # from then on the row is shown with received_at (some days or weeks late)
    "lpn": pl.String,  # null: blank
    "redated_from": TIME,  # received_at as shown before redated_at; null: never redated
    "redated_at": TIME,
    # Amazon's words; files: canonical or the channel's own code; own shops: see shop_returns
    "reason_code": pl.String,
    "canonical_reason": pl.String,  # l1.l2
    # SELLABLE, DEFECTIVE, CUSTOMER_DAMAGED, DAMAGED, CARRIER_DAMAGED, EXPIRED; null: not received
    "disposition": pl.String,
    "status": pl.String,  # Unit returned to inventory, Reimbursed, Pending ...
    "comment": pl.String,  # null: none
    "language": pl.String,
    "ends_as": pl.String,  # refund, exchange, replacement, none, withdrawn
    "closed_at": TIME,  # withdrawn or declined requests: when
    "is_buyer_return": pl.Boolean,  # false: undeliverable parcel coming back
}
RETURN_REQUESTS: Columns = {  # of Amazon's orders that the seller sends himself
    "return_no": pl.String,  # also the return in `returns`, and Amazon's RMA id
    "account": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int64,
    "sku": pl.String,
    "listing_sku": pl.String,
    "currency": pl.String,
    "quantity": pl.Int64,
    "order_quantity": pl.Int64,  # units of the whole order
    "order_amount_minor": MONEY,
    "reason_code": pl.String,
    "requested_at": TIME,
    "received_at": TIME,
    "closed_at": TIME,  # withdrawn or declined; null: neither
    "refunded_at": TIME,
    "refund_minor": MONEY,  # with tax; null: no refund
    "merchant_rma_id": pl.String,
    "approved_at": TIME,
    "is_declined": pl.Boolean,
    "label_type": pl.String,  # AmazonPrePaidLabel: billed in the settlement
    "label_payer": pl.String,  # Seller, Customer
    "label_cost_minor": MONEY,  # null: no label
    "tracking_number": pl.String,
    "resolution": pl.String,  # what was asked for; null: nothing told
    "is_in_policy": pl.Boolean,
    "has_claim": pl.Boolean,  # A-to-z
    "is_prime": pl.Boolean,
    "blocks": pl.Int64,  # how often the report shows it: twice in error, for orders of one unit
    "shows_refund": pl.Boolean,  # whether the report ever tells the refunded amount
}
RETURN_UNITS: Columns = {
    "return_no": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int64,
    "unit_no": pl.Int64,
}
REFUNDS: Columns = {
    "refund_no": pl.String,
    "account": pl.String,
    "connector": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int64,
    "sku": pl.String,
    "listing_sku": pl.String,
    "currency": pl.String,
    "units": pl.Int64,  # whole units refunded; 0: partial
    "principal_minor": MONEY,  # positive, tax-free, after discount
    "promotion_minor": MONEY,  # discount given back with it (settlement: Principal - Promotion)
    "tax_minor": MONEY,
    "shipping_minor": MONEY,
    "shipping_tax_minor": MONEY,
    "commission_back_minor": MONEY,  # positive: fee given back
    "admin_fee_minor": MONEY,  # positive: fee kept
    "refunded_at": TIME,
    "kind": pl.String,  # full_return, partial_return, partial_kept, returnless, inr, undeliverable
    "return_no": pl.String,  # null: no goods
    "adjustment_id": pl.String,
}
REIMBURSEMENTS: Columns = {  # one row per id and SKU
    "reimbursement_id": pl.String,
    "account": pl.String,
    "order_id": pl.String,  # null: stock of no order
    "sku": pl.String,
    "listing_sku": pl.String,
    "currency": pl.String,
    "reason": pl.String,
    "condition": pl.String,  # SELLABLE, UNSELLABLE
    "case_id": pl.String,  # null: nobody asked
    "quantity_cash": pl.Int64,  # negative: taken back
    "quantity_inventory": pl.Int64,  # units given instead of money
    "amount_minor": MONEY,  # negative: taken back
    "approved_at": TIME,
    "original_reimbursement_id": pl.String,  # of reversals
    "original_reimbursement_type": pl.String,
}
FEEDBACK: Columns = {  # of Amazon's buyers on whole orders: one to three stars only
    "account": pl.String,
    "marketplace": pl.String,
    "order_id": pl.String,
    "rated_at": TIME,
    "stars": pl.Int64,
    "comment": pl.String,
    "response": pl.String,
    "rater_email": pl.String,  # personal data: for the servers only
}
BOOKINGS: Columns = {  # components of all that Amazon books, as its Finances API shows it
    "account": pl.String,
    "marketplace": pl.String,
    "marketplace_name": pl.String,
    "transaction_type": pl.String,  # as in a settlement
    "amount_type": pl.String,
    "amount_description": pl.String,
    "amount_minor": MONEY,
    "currency": pl.String,
    "order_id": pl.String,
    "adjustment_id": pl.String,
    "shipment_id": pl.String,
    "fulfillment_id": pl.String,  # AFN, MFN
    "posted_at": TIME,
    "order_item_id": pl.String,
    "sku": pl.String,
    "quantity": pl.Int64,
    "shown_at": TIME,
    "released_at": TIME,  # of sales held back for a while; null: paid out at once
}
SETTLEMENTS: Columns = {  # closed ones only; one per account, currency and 14 days
    "settlement_id": pl.String,
    "account": pl.String,
    "currency": pl.String,
    "region_group": pl.String,
    "start_at": TIME,
    "end_at": TIME,
    "deposit_at": TIME,
    "closed_at": TIME,  # the report is listed from then on
    "total_minor": MONEY,  # sum of its lines, unless a settlement_error was planted
    "planted_error_minor": MONEY,  # total - sum of lines
}
SETTLEMENT_LINES: Columns = {
    "settlement_id": pl.String,
    "line_seq": pl.Int64,  # 2.. (row 1 of the report is its header row)
    "marketplace": pl.String,
    "marketplace_name": pl.String,  # Amazon.de; null on account-level rows
    "transaction_type": pl.String,  # Order, Refund, other-transaction, ServiceFee ...
    "amount_type": pl.String,
    "amount_description": pl.String,
    "amount_minor": MONEY,  # signed as the marketplace does
    "currency": pl.String,
    "order_id": pl.String,
    "adjustment_id": pl.String,
    "shipment_id": pl.String,
    "fulfillment_id": pl.String,  # AFN, MFN
    "posted_at": TIME,
    "order_item_id": pl.String,
    "sku": pl.String,  # as the source shows it (listing_sku)
    "quantity_purchased": pl.Int64,
    "promotion_id": pl.String,
}
SHOP_RETURNS: Columns = {  # own shops: the life of each return request; its rest in `returns`
    "return_no": pl.String,
    "return_id": pl.String,  # digits
    "account": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int64,
    "quantity": pl.Int64,
    "requested_at": TIME,
    "approved_at": TIME,  # null: refused, or taken back before
    "is_opened_by_shop": pl.Boolean,  # no request to approve
    "ended_at": TIME,  # refused or taken back; null: neither
    "ended_as": pl.String,  # DECLINED, CANCELED
    "disposed_at": TIME,  # goods back and looked at; null: never
    "disposition": pl.String,  # RESTOCKED, NOT_RESTOCKED, PROCESSING_REQUIRED, MISSING
    "closed_at": TIME,  # null: stays open
    "reason_code": pl.String,  # the old words
    "reason_handle": pl.String,  # the new words; null: told by the old ones only
    "comment": pl.String,
    "fulfilment_centre_id": pl.String,
}
SHOP_REFUNDS: Columns = {  # own shops: total = lines + shipping - adjustment, taxes included
    "refund_id": pl.String,  # digits
    "account": pl.String,
    "order_id": pl.String,
    "return_no": pl.String,  # null: no return
    "refunded_at": TIME,
    "shipping_minor": MONEY,
    "shipping_tax_minor": MONEY,
    "adjustment_minor": MONEY,  # negative: more to the buyer than the lines say
    "adjustment_tax_minor": MONEY,
    "adjustment_reason": pl.String,  # null: no adjustment
    "total_minor": MONEY,  # what the buyer gets; 0: no money moves
    "paid_at": TIME,  # the money has gone; null: no money
    "has_failed_once": pl.Boolean,  # the first try to pay failed
}
SHOP_REFUND_LINES: Columns = {
    "refund_id": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int64,
    "quantity": pl.Int64,
    "restock_type": pl.String,  # CANCEL, RETURN, NO_RESTOCK
    "is_restocked": pl.Boolean,
    "subtotal_minor": MONEY,  # tax-free
    "tax_minor": MONEY,
}
SHOP_EXCHANGES: Columns = {  # own shops: units sent in place of returned ones, in the same order
    "exchange_id": pl.String,  # digits
    "return_no": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int64,  # of the returned unit
    "new_line_no": pl.Int64,
    "agreed_at": TIME,
    "added_at": TIME,  # the new line stands in the order
}
SHOP_EDITS: Columns = {  # own shops: units taken out of an order without a refund
    "order_id": pl.String,
    "line_no": pl.Int64,
    "quantity": pl.Int64,
    "edited_at": TIME,
}
SHOP_DISPUTES: Columns = {
    "dispute_id": pl.String,  # digits
    "account": pl.String,
    "order_id": pl.String,
    "kind": pl.String,  # CHARGEBACK, INQUIRY
    "reason": pl.String,
    "amount_minor": MONEY,
    "currency": pl.String,
    "opened_at": TIME,
    "evidence_at": TIME,
    "closed_at": TIME,
    "outcome": pl.String,  # WON, LOST, ACCEPTED
}
MARKET_RETURNS: Columns = {  # eBay and Walmart: the life of each return; its rest in `returns`
    "return_no": pl.String,
    "return_id": pl.String,  # digits
    "account": pl.String,
    "connector": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int64,
    "quantity": pl.Int64,
    "requested_at": TIME,
    "approved_at": TIME,
    "sent_at": TIME,  # null: nothing comes back
    "received_at": TIME,
    "refunded_at": TIME,
    "closed_at": TIME,
    "is_withdrawn": pl.Boolean,  # at closed_at
    "is_kept": pl.Boolean,  # no goods come back: kept, lost, or sent back unseen
    "resent_at": TIME,  # a free replacement was ordered; null: none
    "replacement_number": pl.String,  # buyer's number of that order
    "reason_code": pl.String,
    "reason_type": pl.String,  # SNAD, REMORSE
    "comment": pl.String,
    "tracking_number": pl.String,
    "label_usd_cents": MONEY,  # what the way back costs the seller; null: the buyer pays
    "units_refunded": pl.Int64,  # whole units; 0: a part, or nothing
    "refund_minor": MONEY,
    "refund_tax_minor": MONEY,
}
MARKET_INQUIRIES: Columns = {  # eBay: items that did not arrive
    "inquiry_id": pl.String,
    "case_id": pl.String,  # null: never handed to eBay
    "account": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int64,
    "quantity": pl.Int64,
    "opened_at": TIME,
    "escalated_at": TIME,
    "refunded_at": TIME,  # null: nothing paid
    "closed_at": TIME,
    "claim_minor": MONEY,
}
MARKET_REFUNDS: Columns = {  # eBay and Walmart, by line; cancelled orders of eBay included
    "refund_id": pl.String,
    "account": pl.String,
    "connector": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int64,
    "amount_minor": MONEY,  # to the buyer, without the tax that the marketplace pays back
    "tax_minor": MONEY,
    "fee_back_minor": MONEY,  # what the seller gets back of the marketplace's fee
    "issued_at": TIME,  # pending from then on
    "refunded_at": TIME,  # done
    "reference_id": pl.String,  # return, inquiry, case or cancellation; null: none
    "reference_kind": pl.String,  # return, inquiry, cancel; null: none
}
MARKET_FEEDBACK: Columns = {  # eBay, by line
    "feedback_id": pl.String,
    "account": pl.String,
    "order_id": pl.String,
    "line_no": pl.Int64,
    "entered_at": TIME,
    "comment_type": pl.String,  # POSITIVE, NEUTRAL, NEGATIVE
    "comment": pl.String,
    "stars": pl.Int64,  # null: none given
    "is_automated": pl.Boolean,
}
MARKET_DISPUTES: Columns = {  # eBay: chargebacks of whole orders
    "dispute_id": pl.String,
    "account": pl.String,
    "order_id": pl.String,
    "reason": pl.String,
    "amount_minor": MONEY,
    "currency": pl.String,
    "opened_at": TIME,
    "responded_at": TIME,
    "closed_at": TIME,
    "outcome": pl.String,  # WON, LOST, ACCEPTED
}
MARKET_BOOKINGS: Columns = {  # eBay and Walmart: parts of transactions, signed to the seller
    "account": pl.String,
    "connector": pl.String,
    "currency": pl.String,
    "booking_id": pl.String,  # eBay: transaction; with `kind` its key
    "kind": pl.String,  # SALE, REFUND, SHIPPING_LABEL ...; Walmart: Sale, Refund, Adjustment
    "order_id": pl.String,
    "line_no": pl.Int64,  # null: of the whole order
    "component": pl.String,  # amount, FINAL_VALUE_FEE ...; Walmart: amount type
    "amount_minor": MONEY,
    "booked_at": TIME,
    "reference_kind": pl.String,
    "reference_id": pl.String,  # null: none
    "memo": pl.String,
    "payout_id": pl.String,  # null: not paid out before the end of the world
    "paid_out_at": TIME,
}
MARKET_PAYOUTS: Columns = {  # eBay: every week; Walmart: one file every two weeks
    "payout_id": pl.String,
    "account": pl.String,
    "connector": pl.String,
    "currency": pl.String,
    "start_at": TIME,
    "end_at": TIME,
    "listed_at": TIME,  # known from then on
    "amount_minor": MONEY,  # sum of its bookings
}
SERVICE_CASES: Columns = {  # what buyers write to the seller's helpdesk
    "account": pl.String,  # the desk
    "case_id": pl.String,  # digits, counted up by desk
    "order_id": pl.String,  # what it truly is about; null: nothing
    "line_no": pl.Int64,  # null: the order as a whole
    "customer_no": pl.String,  # null: nobody who ever bought
    "opened_at": TIME,
    "kind": pl.String,  # usual, outbound (the team writes first), merged, spam
    "merged_into": pl.String,  # case_id of the case that goes on
    "topic": pl.String,  # as the contract's topic_l2
    "channel": pl.String,  # email, web, chat
    "named_by": pl.String,  # where the order's number stands: subject, tag, external, nothing
    "team": pl.String,
    "agent": pl.String,
    "language": pl.String,
    "decision": pl.String,  # accepted, declined, partial; null: nothing to decide
    "asked_at": TIME,  # for satisfaction; null: never
    "answered_at": TIME,
    "score": pl.Int64,  # 1 to 5
    "comment": pl.String,
    "changed_at": TIME,  # the buyer thinks better of it
    "changed_score": pl.Int64,
}
SERVICE_MESSAGES: Columns = {
    "account": pl.String,
    "case_id": pl.String,
    "message_no": pl.Int64,  # by time within the case
    "sent_at": TIME,
    "author": pl.String,  # buyer, agent, automatic
    "text": pl.String,
    "template": pl.String,  # null: none
    "is_public": pl.Boolean,  # false: the team's own note
}
SERVICE_STATES: Columns = {
    "account": pl.String,
    "case_id": pl.String,
    "at": TIME,
    "status": pl.String,  # new, open, pending, hold, solved, closed, spam
}
PRODUCT_REVIEWS: Columns = {  # of the seller's own shops, in a review app
    "account": pl.String,  # the app
    "review_id": pl.String,  # digits, counted up
    "shop": pl.String,  # account of the sale
    "order_id": pl.String,
    "line_no": pl.Int64,
    "customer_no": pl.String,
    "sku": pl.String,
    "product_ref": pl.String,  # the shop's number of the product; files: the SKU as listed
    "language": pl.String,
    "created_at": TIME,
    "stars_first": pl.Int64,
    "title": pl.String,
    "body": pl.String,  # null: stars only
    "is_verified": pl.Boolean,
    "is_published": pl.Boolean,
    "replied_at": TIME,  # the shop's public answer; null: none
    "changed_at": TIME,  # the buyer thinks better of it; null: never
    "changed_stars": pl.Int64,
}
CARRIER_BILLS: Columns = {  # what carriers bill the seller; as the dataset parcel_costs
    "carrier": pl.String,
    "tracking_number": pl.String,
    "charge_type": pl.String,
    "amount_minor": MONEY,
    "currency": pl.String,
    "billed_at": TIME,  # midnight of a Monday
    "bill_ref": pl.String,
    "service": pl.String,
}
INSPECTIONS: Columns = {  # the seller's own grading; as the dataset return_inspections
    "inspection_id": pl.String,
    "return_no": pl.String,
    "return_ref": pl.String,  # FBA: the LPN; else return_no
    "account": pl.String,
    "order_id": pl.String,
    "sku": pl.String,
    "lot_id": pl.String,  # null: not read off
    "received_at": TIME,
    "inspected_at": TIME,
    "quantity": pl.Int64,
    "grade": pl.String,  # A, B, C, D
    "defect_code": pl.String,  # canonical; null: nothing found
    "defect_text": pl.String,
    "disposition": pl.String,  # restock, refurbish, liquidate, return_to_supplier, destroy, missing
    "recovered_minor": MONEY,
    "currency": pl.String,
    "inspector": pl.String,
    "minutes_spent": pl.Int64,
}
SCANS: Columns = {  # as the dataset lot_allocations; all units of an order and sku, or none
    "account": pl.String,
    "order_id": pl.String,
    "sku": pl.String,
    "lot_id": pl.String,
    "quantity": pl.Int64,
    "shipped_at": TIME,  # first parcel
    "known_at": TIME,  # after the last parcel: the row is then final
}
ORDER_STATES: Columns = {  # an order's lastUpdatedTime at a clock is its greatest `at` <= clock
    "order_id": pl.String,
    "at": TIME,
    "status": pl.String,  # PENDING, UNSHIPPED, PARTIALLY_SHIPPED, SHIPPED, CANCELLED
}
FX_RATES: Columns = {
    "rate_date": pl.Date,  # working days, from 14 days before the start
    "currency": pl.String,
    "units_per_eur": pl.String,  # decimal text as the ECB prints it
}
FX_OVERRIDES: Columns = {  # for currencies that the ECB lacks; as the dataset fx_rates, base EUR
    "rate_date": pl.Date,
    "base": pl.String,
    "quote": pl.String,
    "rate": pl.String,
    "source": pl.String,
}
TRACKED_PARCELS: Columns = {  # what a tracking service is told of a parcel that it follows
    "tracking_number": pl.String,
    "carrier": pl.String,  # as the shop writes it
    "local_carrier": pl.String,  # who brings it to the door abroad; null: the same
    "service": pl.String,  # null: nobody says
    "direction": pl.String,  # outbound, return
    "shop": pl.String,  # account
    "order_id": pl.String,
    "order_number": pl.String,
    "customer_no": pl.String,
    "ordered_at": TIME,
    "origin": pl.String,
    "destination": pl.String,
    "promised_at": TIME,  # null: the shop promises nothing
    "estimated_date": pl.Date,  # the carrier's first estimate; null: none
    "known_at": TIME,  # from then on the service looks it up
    "stopped_at": TIME,  # until then: the last look-up is the first one at or after it
    "is_given_up": pl.Boolean,  # it stops because nothing was heard for long
}
PARCEL_SCANS: Columns = {  # what carriers scan of these
    "tracking_number": pl.String,
    "at": TIME,
    "step": pl.String,  # a key of parcel_words.WORDS
    "leg": pl.String,  # unknown (one carrier), first, last
    "country": pl.String,
    "offset_minutes": pl.Int64,  # of the clock there
    "precision": pl.String,  # time, local (no offset is told), day
    "variant": pl.Int64,  # which of the words for it
}
FAULTS: Columns = {  # one row per fault and entity
    "fault_id": pl.String,  # F01 ... in the order of the scenario
    "kind": pl.String,
    "entity_type": pl.String,
    "entity_key": pl.String,  # as in the contract, `all` for a part left out; buyers: customer_no
    "from_date": pl.Date,
    "to_date": pl.Date,  # last day; null: open
    "parameters": pl.String,  # JSON, keys sorted
}
RATES: Columns = {
    "entity_type": pl.String,
    "entity_key": pl.String,
    "kind": pl.String,
    "true_rate": pl.Float64,
}


@dataclass(frozen=True)
class World:
    """All tables of one simulated world. Made by `sources._sandbox.world.build_world`."""

    scenario: Scenario
    end: datetime  # UTC, aware: no order is placed at or after it
    marketplaces: pl.DataFrame
    suppliers: pl.DataFrame
    products: pl.DataFrame
    listings: pl.DataFrame
    lots: pl.DataFrame
    receipts: pl.DataFrame
    warehouses: pl.DataFrame
    stock_moves: pl.DataFrame
    removals: pl.DataFrame
    buyers: pl.DataFrame
    orders: pl.DataFrame
    order_lines: pl.DataFrame
    units: pl.DataFrame
    shipments: pl.DataFrame
    returns: pl.DataFrame
    return_units: pl.DataFrame
    return_requests: pl.DataFrame
    refunds: pl.DataFrame
    reimbursements: pl.DataFrame
    feedback: pl.DataFrame
    bookings: pl.DataFrame
    settlements: pl.DataFrame
    settlement_lines: pl.DataFrame
    shop_returns: pl.DataFrame
    shop_refunds: pl.DataFrame
    shop_refund_lines: pl.DataFrame
    shop_exchanges: pl.DataFrame
    shop_edits: pl.DataFrame
    shop_disputes: pl.DataFrame
    market_returns: pl.DataFrame
    market_inquiries: pl.DataFrame
    market_refunds: pl.DataFrame
    market_feedback: pl.DataFrame
    market_disputes: pl.DataFrame
    market_bookings: pl.DataFrame
    market_payouts: pl.DataFrame
    service_cases: pl.DataFrame
    service_messages: pl.DataFrame
    service_states: pl.DataFrame
    product_reviews: pl.DataFrame
    tracked_parcels: pl.DataFrame
    parcel_scans: pl.DataFrame
    carrier_bills: pl.DataFrame
    inspections: pl.DataFrame
    scans: pl.DataFrame
    order_states: pl.DataFrame
    fx_rates: pl.DataFrame
    fx_overrides: pl.DataFrame
    faults: pl.DataFrame
    rates: pl.DataFrame


SCHEMAS: Mapping[str, Columns] = {
    field.name: globals()[field.name.upper()]
    for field in fields(World)
    if field.name.upper() in globals()
}


def conform(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with exactly the declared columns, order and types of `table`."""
    columns = SCHEMAS[table]
    return frame.select([pl.col(name).cast(dtype) for name, dtype in columns.items()])
