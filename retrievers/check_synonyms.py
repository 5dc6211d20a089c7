"""Words and phrases of general and business English that may stand for each other in a sentence that says the same.

A word may stand in several groups, and being of one meaning does not pass from one group to the next. No group joins
a word to its opposite, a weaker to a stronger one ("some" and "all", "may" and "will") or one unit to another.
"""

from __future__ import annotations

GROUPS = tuple(
    tuple(group.split())
    for group in """
    approximately about roughly around circa approx | additional further extra added | obtain get gain_access procure |
    ensure make_sure assure | utilize use employ make_use_of utilise | utilized used employed | pursuant_to under
    in_accordance_with according_to as_per in_line_with in_compliance_with | as_well_as and together_with along_with
    plus | majority_of most_of bulk_of most | numerous many a_large_number_of a_great_many lots_of a_multitude_of |
    begin start commence | began started commenced | begun started commenced | purchase buy acquire | purchased bought
    acquired | in_order_to to so_as_to | prior_to before ahead_of | subsequent_to after following | subsequently later
    afterwards thereafter | in_addition_to besides on_top_of | in_connection_with related_to relating_to in_relation_to
    associated_with connected_with regarding concerning with_respect_to in_respect_of with_regard_to as_regards
    pertaining_to | primarily mainly chiefly principally largely predominantly mostly for_the_most_part | due_to
    because_of owing_to as_a_result_of on_account_of thanks_to attributable_to driven_by resulting_from caused_by |
    because given_that | demonstrate show indicate illustrate evidence reveal display | assist help aid | however
    nevertheless nonetheless yet still but though although | such_as like for_example for_instance including e.g |
    including include comprise comprising consist_of | compared_to compared_with in_comparison_with in_comparison_to
    versus vs relative_to as_against | increase rise grow climb go_up | increased rose grew climbed went_up risen grown
    up | decrease decline fall drop diminish go_down | decreased declined fell dropped fallen went_down down | reduce
    cut decrease lessen | raise increase lift boost hike | surge soar jump leap spike | plunge plummet tumble slump |
    improve enhance | worsen deteriorate | large big sizeable sizable substantial | significant substantial considerable
    sizeable notable | significantly substantially considerably markedly notably materially | small minor | rapidly
    quickly fast swiftly | rapid quick fast swift | annual yearly per_year each_year every_year | annually yearly
    per_year each_year every_year per_annum | quarterly each_quarter every_quarter per_quarter | monthly per_month
    each_month every_month | weekly per_week each_week every_week | daily per_day each_day every_day | company
    corporation firm business enterprise | we our us company group ours corporation | employee staff_member worker
    personnel staff | staff personnel workforce employees | customer client patron | supplier vendor | revenue turnover
    | revenue revenues | income earnings | profit earnings | net_income net_profit net_earnings profit_after_tax |
    operating_income operating_profit operating_earnings | cost expense expenditure | spend expend spending | spent
    expended | salary pay wage remuneration compensation | remuneration compensation | shareholder stockholder
    holder_of_shares | shareholders_equity stockholders_equity | share_repurchase stock_repurchase buyback share_buyback
    | repurchase buy_back | fiscal_year financial_year fiscal fy | three-month quarter | year-over-year year-on-year yoy
    compared_to_the_prior_year compared_with_the_prior_year | prior previous preceding earlier | previously formerly
    earlier | current present | currently presently at_present at_the_moment now | future upcoming coming | approve
    authorize authorise | approved authorised authorized | state say declare | disclose reveal | require need
    necessitate | required needed | requirement need | permit allow let | permitted allowed | prohibit forbid ban |
    prevent avert | provide offer supply give furnish | provided offered supplied given | giving providing | build
    construct erect | built constructed erected | create establish set_up | establish set_up | maintain keep retain |
    hold own possess | owned held possessed | sell divest dispose_of | sold divested disposed_of | close shut | open
    launch | launch introduce roll_out | finish complete conclude | completed finished concluded | end finish conclude
    terminate | terminate cancel end | continue go_on carry_on proceed | remain stay | remained stayed | change alter
    modify amend | modify amend | changed altered modified amended | amount_to come_to | totaled totalled amounted_to
    came_to equaled equalled | consist_of comprise be_composed_of be_made_up_of | choose select pick opt_for | chosen
    selected picked | select pick | determine ascertain | find discover | evaluate assess appraise | assess evaluate |
    examine inspect | investigate examine probe look_into | analyze analyse | calculate compute work_out | measure gauge
    | expect anticipate foresee | expected anticipated forecast | forecast predict | believe think | intend plan aim |
    goal aim objective target | purpose aim objective | try attempt seek endeavor endeavour | sought tried attempted |
    achieve attain reach accomplish | attain reach | reach arrive_at | happen occur take_place | occurred happened
    took_place | cause lead_to result_in bring_about give_rise_to | led_to resulted_in caused brought_about | affect
    influence impact | impact effect influence | effect impact | adversely negatively unfavourably unfavorably | adverse
    negative unfavorable unfavourable | favorable favourable positive | positively favorably favourably | beneficial
    advantageous | benefit advantage | disadvantage drawback | risk hazard danger | problem issue difficulty | error
    mistake | failure breakdown | fail be_unable | able capable | unable not_able incapable | important significant key
    vital crucial essential | main principal chief primary major | major main significant | chief principal | entire
    whole complete | total overall | overall total | several a_number_of | various different diverse | different
    distinct | equal same identical | same identical | similar comparable alike | simple easy straightforward |
    difficult hard challenging | correct accurate right | wrong incorrect inaccurate | new novel | old aged | quick fast
    | early initial | initial first | initially at_first | final last | finally lastly eventually | often frequently |
    generally usually typically normally as_a_rule commonly ordinarily | usually typically normally | sometimes
    occasionally at_times from_time_to_time | rarely seldom | always at_all_times | never at_no_time | immediately
    instantly at_once right_away | eventually ultimately | almost nearly practically virtually | partly partially
    in_part | fully completely entirely totally wholly | solely exclusively only | at_least no_less_than not_less_than
    a_minimum_of minimum_of or_more | at_most no_more_than not_more_than up_to a_maximum_of maximum_of or_less
    not_exceeding | more_than over greater_than in_excess_of above exceeding upwards_of | less_than under fewer_than
    below | exceed surpass | every each | all every | all each | no not_any | none not_any | nobody no_one | no_longer
    not_any_more not_any_longer | anyone anybody | someone somebody | everyone everybody | may might could | can able_to
    is_able_to are_able_to be_able_to | cannot unable_to not_able_to | will shall going_to | must have_to has_to need_to
    needs_to required_to obliged_to | should ought_to | likely probable | probably likely | possibly perhaps maybe |
    possible potential | if in_case in_the_event_that in_the_event | although though | even_though although though |
    despite in_spite_of notwithstanding | while whereas | therefore thus hence consequently accordingly as_a_result |
    furthermore moreover additionally in_addition also besides | instead rather | instead_of rather_than in_place_of |
    except apart_from other_than | between among | among amongst amid | during in_the_course_of over_the_course_of in |
    through via by_means_of by_way_of | via by_way_of | within inside | upon on | until till up_until | throughout
    across all_over | near close_to | via through | towards toward | per each | twice two_times | doctor physician |
    lawyer attorney | car automobile | house home dwelling | child kid | children kids | illness disease sickness |
    medicine drug medication | student pupil | teacher instructor | author writer | picture image | film movie | road
    street | city town | country nation | citizen national | law statute | rule regulation | agreement contract |
    contract agreement accord | deal agreement | dispute conflict disagreement | lawsuit suit litigation | verdict
    judgment | judgment judgement | proof evidence | document file | survey poll | chapter section | figure fig |
    number_of count_of | quantity amount | amount sum | share portion proportion | proportion ratio share | percentage
    proportion | rate pace | level degree | extent degree | area region | region zone | site location place | location
    place | worldwide globally around_the_world across_the_globe internationally | global worldwide | abroad overseas |
    foreign overseas | internet web | website web_site | online on_the_internet | email e-mail | tool instrument |
    method approach technique procedure | approach method | technique method | dataset data_set | information data |
    data information | training instruction | knowledge expertise | ability capability | skill ability | plan scheme |
    programme program | project undertaking | goods products | equipment gear | plant factory | factory plant |
    warehouse depot | store shop outlet | shop store | market marketplace | industry sector | sector industry |
    competitor rival | owner proprietor | chairman chairperson chair | ceo chief_executive_officer chief_executive | cfo
    chief_financial_officer | board board_of_directors | headquarters head_office | founded established set_up | located
    situated based | situated located | named called | known called | called known named | include contain encompass |
    contain include | exclude leave_out omit | omit leave_out | remove delete take_away eliminate | eliminate remove |
    replace substitute | transfer move | move relocate | relocate move | send dispatch transmit | receive get | return
    give_back | pay remit | paid disbursed | debt borrowing indebtedness | liability obligation | obligation duty |
    asset holding | fund finance | funding financing | finance fund | value worth | fee charge | charge fee | tax levy |
    grant award | award grant | prize award | won gained | lose forfeit | lost forfeited | deficit shortfall | shortage
    scarcity lack | lack shortage | surplus excess | rest remainder | remaining residual left_over | remainder rest |
    meet satisfy fulfil fulfill | satisfy meet | fulfil meet | comply adhere conform | comply_with adhere_to conform_to
    | follow adhere_to | violate breach infringe | breach violation | accept agree_to | agree consent | refuse reject |
    reject refuse turn_down | request ask_for | ask request | answer reply respond | reply response answer | respond
    reply | discuss talk_about | mention refer_to | refer_to mention | describe outline depict | outline describe |
    explain clarify | define specify | specify stipulate | suggest propose | propose suggest | recommend advise | advise
    recommend | warn caution | emphasize stress underline highlight emphasise | highlight stress | notice observe |
    recognize recognise acknowledge | realize realise | identify recognise | identify detect | verify confirm | confirm
    verify | monitor track | track monitor | manage administer | administer manage | operate run | run operate | perform
    carry_out conduct execute | conduct carry_out perform | carry_out perform | execute carry_out | implement carry_out
    put_into_practice | adopt take_up | produce make manufacture | manufacture make produce | generate produce | make
    produce | design devise | prepare draw_up | publish release | release publish | publicly in_public | openly publicly
    | protect safeguard | safeguard protect | attack assault | damage harm | harm damage hurt | hurt harm | injure wound
    | repair fix mend | fix repair | visit call_on | travel journey | trip journey | leave depart | depart leave | enter
    go_into | gather collect | collect gather | merge combine | divide split | split divide | connect link | link
    connect | depend_on rely_on | rely_on depend_on | relies_on depends_on | based_on on_the_basis_of | on_the_basis_of
    based_on | appear seem | seem appear | expand enlarge extend | extend prolong lengthen | shorten curtail | limit
    restrict | restrict limit | restriction limitation | limitation restriction | speed velocity | accelerate speed_up |
    slow_down decelerate | delay postpone | postpone delay defer | defer postpone | wide broad | broad wide | strong
    robust | robust strong | weak feeble | rich wealthy | poor needy | cheap inexpensive | expensive costly | costly
    expensive | unsafe dangerous | clean tidy | modern contemporary | famous well-known renowned | renowned famous
    well-known | rare uncommon | usual customary | particular specific | specific particular | suitable appropriate |
    appropriate suitable | sufficient enough adequate | enough sufficient | insufficient inadequate | excessive undue |
    mandatory compulsory obligatory | compulsory mandatory | public state-owned | legal lawful | illegal unlawful |
    unlawful illegal | effective in_force | q1 first_quarter | q2 second_quarter | q3 third_quarter | q4 fourth_quarter
    | h1 first_half | h2 second_half | 1st first | 2nd second | 3rd third | 4th fourth | 5th fifth | 6th sixth | 7th
    seventh | 8th eighth | 9th ninth | 10th tenth | 19th nineteenth | 20th twentieth | 21st twenty-first | usa
    united_states united_states_of_america | uk united_kingdom | eu european_union | uae united_arab_emirates | gaap
    generally_accepted_accounting_principles | ltd limited | inc incorporated | corp corporation | dept department |
    percent per_cent | jan january | feb february | mar march | apr april | aug august | sept september sep | oct
    october | nov november | dec december
    """.split("|")
)
"""Groups of one meaning; the words of a phrase are joined by an underscore."""
