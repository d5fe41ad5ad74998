"""The adjectives: English, French, kinds of noun; frequent and deciding words first.

One adjective a line: `english french kinds [before]`. The French is the masculine singular and,
after slashes, irregular forms: feminine singular, masculine plural, and the form before a vowel.
`before` marks those before the French noun. Kinds of noun are those of nouns.py; `-` fits no
ordinary noun, only the sense that it decides for.
"""

ADJECTIVES = """
small petit paoflnx before
big grand aoflnx before
old vieux/vieille/vieux/vieil paolnx before
red rouge ofln
beautiful beau/belle/beaux/bel paolnx before
black noir aon
new nouveau/nouvelle/nouveaux/nouvel pox before
hungry affamé pa
broken cassé o
strange étrange paoflnx
young jeune pa before
happy heureux p
white blanc/blanche aofln
famous célèbre plx
green vert ofln
heavy lourd ofn
sad triste px
rusty rouillé o
private privé l
secret secret/secrète lx
dangerous dangereux paolnx
electric électrique o
tired fatigué pa
clean propre ol
rich riche pl
sweet sucré f
blue bleu on
painful douloureux -
dirty sale paoln
ripe mûr f
muddy boueux l
lovely joli oln before
political politique x
brave courageux pa
fresh frais/fraîche/frais f
magnetic magnétique -
golden doré o
official officiel x
slow lent pao
wild sauvage a
expensive cher of
yellow jaune ofn
cold froid fln
empty vide ol
modern moderne olx
royal royal/royale/royaux l
loyal fidèle pa
polite poli p
long long/longue onx before
military militaire x
nuclear nucléaire -
musical musical -
blinding aveuglant -
unbearable insupportable -
dilated dilaté -
exciting passionnant x
wet mouillé pa
curly frisé -
romantic romantique x
round rond on
good bon px before
bad mauvais x before
ugly laid paoln
quiet calme pal
hot chaud ofln
nervous nerveux pa
strong fort pa
weak faible pa
light léger o
famished famélique a
proud fier pa
lazy paresseux pa
clever malin/maligne pa
stupid bête pa
gentle doux/douce pa
cruel cruel pa
jealous jaloux/jalouse p
curious curieux pa
serious sérieux p
generous généreux p
selfish égoïste p
honest honnête p
shy timide pa
angry fâché p
worried inquiet/inquiète p
calm serein p
blind aveugle pa
deaf sourd pa
mute muet/muette p
thin maigre pa
fat gros/grosse/gros pa before
tall *haut ln before
low bas/basse/bas n
wide large ln
narrow étroit ln
deep profond l
thick épais/épaisse/épais on
flat plat on
pointed pointu on
soft mou/molle/mous o
hard dur of
smooth lisse on
rough rugueux on
shiny brillant on
transparent transparent o
gray gris aoln
brown brun aon
pink rose on
purple violet/violette on
dark sombre ln
full plein ol
closed fermé ol
hidden caché oln
lost perdu pao
free libre pa
busy occupé p
sick malade pa
healthy sain paf
drunk ivre p
dead mort pa
naked nu p
noisy bruyant pal
lively animé l
crowded bondé l
ancient ancien lnx
medieval médiéval/médiévale/médiévaux lx
rural rural/rurale/ruraux l
urban urbain l
public public/publique l
national national/nationale/nationaux lx
local local/locale/locaux lx
international international/internationale/internationaux lx
foreign étranger plx
important important plx
interesting intéressant plx
boring ennuyeux plx
difficult difficile x
easy facile x
simple simple ox
complex complexe x
precise précis x
false faux/fausse/faux x before
true vrai x before
rare rare aofnx
common courant x
useful utile aox
useless inutile ox
fragile fragile on
solid solide on
precious précieux o
cheap abordable o
salty salé f
bitter amer/amère f
sour aigre f
spicy épicé f
tasty savoureux f
delicious délicieux f
rotten pourri f
frozen gelé fln
burnt brûlé fo
dry sec/sèche lnf
dusty poussiéreux ol
torn déchiré o
painted peint on
folded plié -
stolen volé o
magic magique ox
sacred sacré oln
mysterious mystérieux paolnx
terrible terrible x
elegant élégant po
charming charmant pl
friendly aimable p
hostile hostile p
cautious prudent p
careless négligent p
talented doué p
ambitious ambitieux p
modest modeste p
arrogant arrogant p
violent violent pax
faithful dévoué p
ferocious féroce a
venomous venimeux a
tame apprivoisé a
fast rapide pao
agile agile pa
huge énorme aofln
tiny minuscule aofln
immense immense ln
distant lointain ln
steep escarpé ln
sandy sablonneux -
fertile fertile l
sunny ensoleillé l
foggy brumeux l
peaceful paisible l
gloomy lugubre lx
historical historique lx
tragic tragique x
comic comique x
absurd absurde x
logical logique x
ridiculous ridicule px
wonderful merveilleux lx
perfect parfait ox
"""
